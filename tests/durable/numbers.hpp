#pragma once
/// What tests that kill durable programs have in common: numbers go through a broker, and are looked at behind it.

#include "interop/brokers.hpp"

#include <condition_variable>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <random>
#include <set>
#include <tortoise/tortoise.hpp>

namespace tortoise {

using test::patience;

/// The numbers of a life of a program; at most so many that the next life has others.
inline constexpr long numbers_of_a_life = 1'000'000;

struct Case {
    Version version;
    QoS qos;
    bool session = false; // of the post office, in place of a connection
};

inline std::string name_of(const ::testing::TestParamInfo<Case>& c) {
    return std::string(c.param.session ? "session_" : "") + (c.param.version == Version::v5 ? "v5" : "v3_1_1") +
           "_qos" + std::to_string(static_cast<int>(c.param.qos));
}

/// scripts/check kills 300 times, each program in each case.
inline int times_to_kill(int otherwise) {
    const char* text = std::getenv("TORTOISE_KILLS");
    return text && *text ? std::atoi(text) : otherwise;
}

/// The words of durable_sender for its life from that number on; none: its last one.
inline test::Words sender(const std::string& url, const std::string& store, const Case& c, std::optional<long> first,
                          const test::Words& more = {}) {
    test::Words words = {TORTOISE_DURABLE_SENDER,
                         url,
                         store,
                         c.version == Version::v5 ? "5" : "3.1.1",
                         std::to_string(static_cast<int>(c.qos)),
                         first ? std::to_string(*first) : "end"};
    if (c.session) words.push_back("session");
    return words + more;
}

/// The numbers behind that word, in the order of the lines.
inline std::vector<long> numbers_behind(const std::string& wanted, const std::string& lines) {
    std::vector<long> numbers;
    std::istringstream in(lines);
    std::string line;
    while (std::getline(in, line)) {
        if (in.eof()) break; // killed in the middle of it
        if (line.starts_with(wanted + ' ')) numbers.push_back(std::stol(line.substr(wanted.size() + 1)));
    }
    return numbers;
}

/// Who receives the numbers, and never goes away.
class Reader {
public:
    Reader(const std::string& url, Version version)
        : connection_({.client_id = "reader", .server = url, .version = version, .session = {.clean_start = false}}) {
        const auto granted =
            connection_
                .subscribe({"numbers", QoS::exactly_once},
                           [this](Connection&, const MessageView& m) { take(std::stol(std::string(m.payload))); })
                .wait(patience);
        if (!granted) throw std::runtime_error(granted.error().describe());
    }
    /// Waits for them, and gives those that did not come.
    std::vector<long> missing_of(const std::set<long>& numbers) {
        std::unique_lock lock(mutex_);
        std::vector<long> missing(numbers.begin(), numbers.end());
        changed_.wait_for(lock, patience, [&] {
            std::erase_if(missing, [&](long n) { return seen_.contains(n); });
            return missing.empty();
        });
        return missing;
    }
    std::vector<long> received() {
        std::lock_guard lock(mutex_);
        return received_;
    }

private:
    void take(long number) {
        std::lock_guard lock(mutex_);
        received_.push_back(number);
        seen_.insert(number);
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<long> received_;
    std::set<long> seen_;
    Connection connection_; // last: its callback uses what stands before
};

/// How numbers came that were sent in ascending order.
struct Came {
    std::vector<long> first;                  // each one, when it came for the first time
    std::size_t repeated = 0, disordered = 0; // came again; came for the first time behind a higher one
};

inline Came look_at(const std::vector<long>& numbers) {
    Came came;
    std::set<long> seen;
    for (const long number : numbers) {
        if (!seen.insert(number).second) {
            ++came.repeated;
            continue;
        }
        came.disordered += !came.first.empty() && number < came.first.back();
        came.first.push_back(number);
    }
    return came;
}

} // namespace tortoise
