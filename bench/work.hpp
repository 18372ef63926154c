#pragma once
// What the clients of the comparison have in common: the same arguments, the same measure, the same answer.
//   CLIENT pub|sub|rtt URL QOS COUNT SIZE WINDOW [THREADS [CONNECTIONS]]
// prints one line: "MESSAGES SECONDS CPU_SECONDS P50_US P99_US RSS_KIB", of the work alone, without connecting.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace bench {

struct Work {
    std::string what, url;
    int qos = 0;
    std::uint64_t count = 0;
    std::size_t size = 0;
    unsigned window = 1000, threads = 1, connections = 1;

    static Work from(int argc, char** argv) {
        if (argc < 7) {
            std::fprintf(stderr, "usage: %s pub|sub|rtt URL QOS COUNT SIZE WINDOW [THREADS [CONNECTIONS]]\n", argv[0]);
            std::exit(2);
        }
        const auto number = [&](int i, unsigned otherwise) {
            return argc > i ? static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10)) : otherwise;
        };
        return {argv[1],       argv[2],         std::atoi(argv[3]), std::strtoull(argv[4], nullptr, 10),
                number(5, 64), number(6, 1000), number(7, 1),       number(8, 1)};
    }
    std::string blast() const {
        return "blast/" + std::to_string(qos) + "/" + std::to_string(count) + "/" + std::to_string(size);
    }
};

inline double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](timeval t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// From its making to report().
class Measure {
public:
    using Clock = std::chrono::steady_clock;

    void report(std::uint64_t messages, std::vector<double> round_trips_us = {}) const {
        const double cpu = cpu_seconds() - cpu_;
        const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
        std::sort(round_trips_us.begin(), round_trips_us.end());
        const auto quantile = [&](double q) {
            if (round_trips_us.empty()) return 0.0;
            return round_trips_us[static_cast<std::size_t>(q * static_cast<double>(round_trips_us.size() - 1))];
        };
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        std::printf("%llu %.6f %.6f %.1f %.1f %ld\n", static_cast<unsigned long long>(messages), seconds, cpu,
                    quantile(0.5), quantile(0.99), usage.ru_maxrss);
    }

private:
    Clock::time_point began_ = Clock::now();
    double cpu_ = cpu_seconds();
};

/// One message at a time, there and back: `send(payload)`, then `await()`.
template <class Send, class Await> void round_trips(const Work& work, Send&& send, Await&& await) {
    const std::string payload(work.size, 'x');
    std::vector<double> times;
    const Measure measure;
    for (std::uint64_t i = 0; i < work.count; ++i) {
        const auto began = Measure::Clock::now();
        send(payload);
        await();
        times.push_back(std::chrono::duration<double, std::micro>(Measure::Clock::now() - began).count());
    }
    measure.report(work.count, std::move(times));
}

/// `publish(connection, count, payload)` on each of the threads, which share the connections out among them.
template <class Publish> void from_threads(const Work& work, Publish&& publish) {
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < work.threads; ++t) {
        threads.emplace_back([&, t] {
            const std::string payload(work.size, 'x');
            publish(t % work.connections, work.count / work.threads, payload);
        });
    }
    for (auto& thread : threads) thread.join();
}

} // namespace bench
