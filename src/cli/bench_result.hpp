#pragma once
// What `tortoise bench` prints.

#include "bench_arguments.hpp"
#include "bench_tally.hpp"
#include <string>

namespace cli {

/// What was measured. The connections are gone.
struct BenchResult {
    const BenchPlan& plan;
    const Tally& tally;
    std::uint64_t drops; // connections that were lost and made again
};

std::string bench_text(const BenchResult&);
/// An object; what cannot be said is null.
std::string bench_json(const BenchResult&);

/// While it runs: how far it is, on standard error. On a terminal one line that changes
/// (what others write replaces it), elsewhere a line a second.
class Progress {
public:
    using Clock = Tally::Clock;
    Progress(bool wanted, BenchMode, std::uint64_t count);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    bool wanted() const noexcept { return wanted_; }
    void show(std::uint64_t messages, Clock::time_point now);
    /// Takes the line from the terminal, so that others can write there.
    void clear();

private:
    const bool wanted_, terminal_;
    const std::string name_;
    const std::uint64_t count_;
    bool shown_ = false;
    std::uint64_t last_messages_ = 0;
    Clock::time_point last_;
};

} // namespace cli
