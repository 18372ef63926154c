#pragma once
// Checks of option values that say what is wrong in words of this command.

#include <CLI/CLI.hpp>
#include <charconv>
#include <fmt/format.h>
#include <string>
#include <tortoise/types.hpp>

namespace cli {

/// A whole number within bounds.
inline CLI::Validator whole_number(long long least, long long greatest) {
    CLI::Validator check;
    check.operation([=](std::string& text) {
        long long value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool good =
            error == std::errc{} && end == text.data() + text.size() && value >= least && value <= greatest;
        return good ? std::string()
                    : fmt::format("takes a whole number from {} to {}, not '{}'", least, greatest, text);
    });
    return check;
}

inline CLI::Validator qos_level() {
    CLI::Validator check;
    check.operation([](std::string& text) {
        const bool good = text == "0" || text == "1" || text == "2";
        return good ? std::string() : fmt::format("QoS is 0, 1 or 2, not '{}'", text);
    });
    return check;
}

/// Seconds, with a fraction if wanted.
inline CLI::Validator seconds(double least = 0) {
    CLI::Validator check;
    check.operation([=](std::string& text) {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool good = error == std::errc{} && end == text.data() + text.size() && value >= least && value <= 1e9;
        return good ? std::string() : fmt::format("takes a number of seconds from {} on, not '{}'", least, text);
    });
    return check;
}

inline tortoise::Duration to_duration(double seconds_) {
    return std::chrono::duration_cast<tortoise::Duration>(std::chrono::duration<double>(seconds_));
}

} // namespace cli
