#pragma once
/// The retained messages: one per topic.

#include "broker/message.hpp"

#include <map>
#include <set>
#include <string>

namespace tortoise::broker {

class Retained {
public:
    /// Keeps the message in place of an earlier one of its topic; one without payload only removes. Beyond the
    /// bound a message of another topic is not kept. [MQTT-3.3.1-5] [MQTT-3.3.1-6]
    void put(Letter&);
    /// Appends the messages whose topics match the filter, by topic. The cost is the number of retained topics that
    /// begin like the filter before its first wildcard.
    void match(std::string_view filter, Time now, std::vector<StoredRef>& into) const;
    /// Forgets the expired ones.
    void expire(Time now);
    std::optional<Time> deadline() const;
    std::size_t size() const noexcept { return messages_.size(); }
    void clear();

private:
    void erase(std::string_view topic);

    std::map<std::string, StoredRef, std::less<>> messages_;
    std::set<std::pair<Time, std::string>> expiries_;
};

} // namespace tortoise::broker
