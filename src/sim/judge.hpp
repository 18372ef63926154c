#pragma once
/// Keeps the first thing that went wrong, and, when asked to, what happened before it.

#include "sim/schedule.hpp"

#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>

namespace tortoise::sim {

class Judge {
public:
    enum class Log : std::uint8_t { off, keep_last, keep_all, print };

    explicit Judge(Log log = Log::off) : log_(log) {}

    Time now = {};

    void fail(std::string what) {
        if (failure_.empty()) failure_ = stamp() + std::move(what);
    }
    bool failed() const noexcept { return !failure_.empty(); }
    const std::string& failure() const noexcept { return failure_; }

    /// Lines are made only if this is true.
    bool logs() const noexcept { return log_ != Log::off; }
    void line(std::string_view text) {
        if (log_ == Log::print)
            std::printf("%s%.*s\n", stamp().c_str(), static_cast<int>(text.size()), text.data());
        else
            lines_.push_back(stamp().append(text));
        if (log_ == Log::keep_last && lines_.size() > kept) lines_.pop_front();
    }
    const std::deque<std::string>& lines() const noexcept { return lines_; }

    /// A number that two runs share only if they were the same.
    void mix(std::uint64_t v) noexcept { digest_ = (digest_ ^ v) * 0x100000001B3u; }
    std::uint64_t digest() const noexcept { return digest_; }

private:
    static constexpr std::size_t kept = 60;

    std::string stamp() const {
        char text[32];
        std::snprintf(text, sizeof text, "%14.6f  ", std::chrono::duration<double>(now.time_since_epoch()).count());
        return text;
    }

    Log log_;
    std::string failure_;
    std::deque<std::string> lines_;
    std::uint64_t digest_ = 0xCBF29CE484222325u;
};

} // namespace tortoise::sim
