// Thousands of connections in one process, on two loop threads: each is established, pinged, publishes and receives,
// and is closed. Prints what a connection costs, idle and used.
//   many URL CONNECTIONS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <tortoise/tortoise.hpp>
#include <vector>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

double resident_kib() {
    std::ifstream in("/proc/self/statm");
    double size = 0, resident = 0;
    in >> size >> resident;
    return resident * 4;
}

long count_of(const char* word) { // in /proc/self/status
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(word)) return std::atol(line.c_str() + std::string_view(word).size());
    return 0;
}

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::_Exit(1);
}

class Step {
public:
    explicit Step(const char* name) : name_(name) {}
    void report(std::size_t connections) const {
        const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
        std::printf("| %s | %.2f | %.2f |\n", name_, seconds,
                    (resident_kib() - before_) / static_cast<double>(connections));
        std::fflush(stdout);
    }
    static void begin_with(double kib) { before_ = kib; }

private:
    static inline double before_ = 0;
    const char* name_;
    Clock::time_point began_ = Clock::now();
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fputs("usage: many URL CONNECTIONS\n", stderr), 2;
    const std::string url = argv[1];
    const auto count = static_cast<std::size_t>(std::atol(argv[2]));
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    std::atomic<std::size_t> received{0};
    tortoise::Runtime runtime(2);
    std::vector<tortoise::Connection> connections;
    connections.reserve(count);
    Step::begin_with(resident_kib());
    {
        const Step step("established");
        for (std::size_t i = 0; i < count; ++i)
            connections.emplace_back(tortoise::ConnectionOptions{.server = url, .connect_timeout = 60s}, runtime);
        for (auto& c : connections)
            if (auto up = c.wait_until_up(120s); !up) die(up.error().describe());
        step.report(count);
    }
    {
        const Step step("pinged");
        std::vector<tortoise::Pending<tortoise::Duration>> pings;
        for (auto& c : connections) pings.push_back(c.ping());
        for (auto& p : pings)
            if (auto pong = p.wait(60s); !pong) die(pong.error().describe());
        step.report(count);
    }
    {
        const Step step("subscribed");
        std::vector<tortoise::Pending<tortoise::Grant>> grants;
        for (auto& c : connections)
            grants.push_back(
                c.subscribe("echo", [&](tortoise::Connection&, const tortoise::MessageView&) { ++received; }));
        for (auto& g : grants)
            if (auto granted = g.wait(60s); !granted) die(granted.error().describe());
        step.report(count);
    }
    {
        const Step step("published, QoS 1, and received");
        std::vector<tortoise::Delivery> deliveries;
        for (auto& c : connections)
            deliveries.push_back(c.publish("echo", "hello", {.qos = tortoise::QoS::at_least_once}));
        for (auto& d : deliveries)
            if (auto delivered = d.wait(60s); !delivered) die(delivered.error().describe());
        for (auto& c : connections)
            if (auto pong = c.ping().wait(60s); !pong) die(pong.error().describe()); // what was echoed came before it
        if (received != count) die(std::to_string(received) + " of the messages came back");
        step.report(count);
    }
    const long threads = count_of("Threads:");
    {
        const Step step("closed");
        std::vector<tortoise::Pending<tortoise::Done>> stops;
        for (auto& c : connections) stops.push_back(c.stop());
        for (auto& s : stops)
            if (auto stopped = s.wait(60s); !stopped) die(stopped.error().describe());
        connections.clear();
        step.report(count);
    }
    std::printf("\n%zu connections, %ld threads.\n", count, threads);
}
