// Walks many seeds, on several threads: what scripts/sim runs.
#include "sim/shrink.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace tortoise::sim;
using Instant = std::chrono::steady_clock::time_point;

struct Arguments {
    std::uint64_t seeds = 1'000, steps = 2'000, from = 1, jobs = std::max(1u, std::thread::hardware_concurrency());
    std::optional<std::uint64_t> seed; // only this one
    bool verbose = false;
};

std::optional<Arguments> parse(int argc, char** argv) {
    Arguments a;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "-v") {
            a.verbose = true;
            continue;
        }
        std::uint64_t value = 0;
        const char* const text = i + 1 < argc ? argv[++i] : "";
        const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
        if (error != std::errc{} || *end != '\0') return std::nullopt;
        if (name == "--seeds")
            a.seeds = value;
        else if (name == "--steps")
            a.steps = value;
        else if (name == "--from")
            a.from = value;
        else if (name == "--jobs")
            a.jobs = std::max<std::uint64_t>(value, 1);
        else if (name == "--seed")
            a.seed = value;
        else
            return std::nullopt;
    }
    return a;
}

void print_shrunk(const WalkOptions& options) {
    const Shrunk shrunk = shrink(options);
    const auto again = walk({.seed = options.seed,
                             .steps = options.steps,
                             .log = WalkOptions::Log::keep_last,
                             .only = shrunk.options.only});
    std::printf("the last of what happens with no more than this:\n");
    for (const auto& line : again.last) std::printf("  %s\n", line.c_str());
    std::printf("a test that fails so, found in %llu walks:\n%s", static_cast<unsigned long long>(shrunk.walks),
                as_test(shrunk).c_str());
}

/// What the threads share.
class Run {
public:
    explicit Run(const Arguments& a) : arguments_(a), next_(a.from) {}

    int operator()() {
        std::vector<std::thread> threads;
        for (std::uint64_t i = 0; i < std::min(arguments_.jobs, arguments_.seeds); ++i)
            threads.emplace_back([this] { work(); });
        {
            std::unique_lock lock(mutex_);
            while (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return done_ == arguments_.seeds; }))
                tell("so far ");
        }
        for (auto& thread : threads) thread.join();
        tell("");
        std::printf("%.1f virtual hours, %llu messages published, %llu received, %llu programs restarted, %llu broker "
                    "starts\n",
                    total_.seconds / 3600, ull(total_.posts), ull(total_.arrivals), ull(total_.lives),
                    ull(total_.broker_starts));
        std::printf("failing seeds: %s\n", failed_.empty() ? "none" : "");
        for (const auto& [seed, failure] : failed_) std::printf("  %llu %s\n", ull(seed), failure.c_str());
        if (!failed_.empty()) print_shrunk({.seed = failed_.begin()->first, .steps = arguments_.steps});
        return failed_.empty() ? 0 : 1;
    }

private:
    static unsigned long long ull(std::uint64_t n) { return n; }

    void work() {
        while (true) {
            const std::uint64_t seed = next_++;
            if (seed >= arguments_.from + arguments_.seeds) return;
            const auto result = walk({.seed = seed, .steps = arguments_.steps});
            const std::lock_guard lock(mutex_);
            total_ += result;
            if (!result.failure.empty()) failed(seed, result);
            if (++done_ == arguments_.seeds) changed_.notify_one();
        }
    }
    void failed(std::uint64_t seed, const WalkResult& result) {
        failed_[seed] = result.failure;
        std::printf("seed %llu failed: %s\n  scripts/sim --seed %llu --steps %llu -v\n", ull(seed),
                    result.failure.c_str(), ull(seed), ull(arguments_.steps));
        std::fflush(stdout);
    }
    void tell(const char* when) {
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        const double processor = static_cast<double>(std::clock()) / CLOCKS_PER_SEC; // the machine may be shared
        std::printf(
            "%s%llu seeds of %llu steps in %.1f s, %.0f seeds/s; %.1f s of processors, %.0f seeds/s; %zu failed\n",
            when, ull(done_), ull(arguments_.steps), seconds, static_cast<double>(done_) / seconds, processor,
            static_cast<double>(done_) / processor, failed_.size());
        std::fflush(stdout);
    }

    const Arguments& arguments_;
    const Instant began_ = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> next_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t done_ = 0;
    WalkResult total_;
    std::map<std::uint64_t, std::string> failed_;
};

int one(const Arguments& a) {
    const auto log = a.verbose ? WalkOptions::Log::print : WalkOptions::Log::keep_last;
    const auto result = walk({.seed = *a.seed, .steps = a.steps, .log = log});
    if (result.failure.empty()) {
        std::printf("seed %llu kept every promise\n", static_cast<unsigned long long>(*a.seed));
        return 0;
    }
    for (const auto& line : result.last) std::printf("%s\n", line.c_str());
    std::printf("%s\n", result.failure.c_str());
    if (!a.verbose) print_shrunk({.seed = *a.seed, .steps = a.steps});
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    const auto arguments = parse(argc, argv);
    if (!arguments || arguments->seeds == 0) {
        std::fprintf(stderr, "usage: sim [--seeds N] [--steps M] [--from S] [--jobs J]\n"
                             "       sim --seed N [--steps M] [-v]\n");
        return 2;
    }
    return arguments->seed ? one(*arguments) : Run(*arguments)();
}
