#pragma once
/// What was sent and what arrived, in an octet a message, so that hours of it show in nobody's memory.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tortoise/types.hpp>
#include <vector>

namespace soak {

/// The QoS of a message follows from its number.
inline tortoise::QoS qos_of(std::size_t number) { return static_cast<tortoise::QoS>(number % 3); }

struct Sums {
    std::size_t published = 0, accepted = 0, arrived = 0;
    std::size_t lost = 0;    ///< of QoS 1 and 2, accepted, and did not arrive
    std::size_t twice = 0;   ///< of QoS 2, arrived more than once
    std::size_t again = 0;   ///< of QoS 1, arrived more than once, as it may
    std::size_t foreign = 0; ///< arrived and was never published
};

/// Of each topic, its messages by number. Any thread may call.
class Books {
public:
    /// Room for that many messages of each topic from the start.
    Books(std::vector<std::string> topics, std::size_t room) {
        for (auto& topic : topics) pages_[std::move(topic)].reserve(room);
    }
    /// The number of the next message.
    std::size_t publish(const std::string& topic) {
        std::lock_guard lock(mutex_);
        auto& page = pages_.at(topic);
        page.push_back(0);
        return page.size() - 1;
    }
    void accepted(const std::string& topic, std::size_t number) {
        std::lock_guard lock(mutex_);
        pages_.at(topic)[number] |= was_accepted;
    }
    void arrived(const std::string& topic, std::size_t number) {
        std::lock_guard lock(mutex_);
        const auto page = pages_.find(topic);
        if (page == pages_.end() || number >= page->second.size()) {
            ++foreign_;
            return;
        }
        auto& marks = page->second[number];
        marks |= marks & has_arrived ? arrived_again : has_arrived;
    }
    Sums sums() const {
        std::lock_guard lock(mutex_);
        Sums sums{.foreign = foreign_};
        for (const auto& [topic, page] : pages_) {
            sums.published += page.size();
            for (std::size_t number = 0; number < page.size(); ++number) {
                const auto marks = page[number];
                const auto qos = qos_of(number);
                sums.accepted += (marks & was_accepted) != 0;
                sums.arrived += (marks & has_arrived) != 0;
                sums.lost += qos != tortoise::QoS::at_most_once && (marks & was_accepted) && !(marks & has_arrived);
                sums.twice += qos == tortoise::QoS::exactly_once && (marks & arrived_again);
                sums.again += qos == tortoise::QoS::at_least_once && (marks & arrived_again);
            }
        }
        return sums;
    }

private:
    static constexpr std::uint8_t was_accepted = 1, has_arrived = 2, arrived_again = 4;
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<std::uint8_t>> pages_;
    std::size_t foreign_ = 0;
};

} // namespace soak
