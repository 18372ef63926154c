#pragma once
/// What both sides of a session must remember, by the book: the state that outlives connections. [MQTT-4.1]

#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/core/engine.hpp>
#include <tortoise/core/packet.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::sim {

using core::PacketId;

/// One direction's packet identifiers in use.
struct Outgoing {
    enum class Step : std::uint8_t { published, released, subscribe, unsubscribe };
    struct Entry {
        Step step = Step::published;
        QoS qos = QoS::at_most_once;
        core::Token token = 0;
        std::uint64_t order = 0; // of the first sending
        bool resend_due = false; // the session was resumed, and it was not sent again yet
        bool barred = false;     // a connection since did not allow it: it may have been given up then
    };
    std::unordered_map<PacketId, Entry> entries;
    std::uint64_t next_order = 1;
    std::size_t resends_due = 0; // PUBLISH packets

    void resumed() {
        std::erase_if(entries, [](const auto& e) { return e.second.step >= Step::subscribe; });
        resends_due = 0;
        for (auto& [id, entry] : entries) {
            entry.resend_due = true;
            if (entry.step == Step::published) ++resends_due;
        }
    }
    void settled(Entry& entry) {
        if (entry.resend_due && entry.step == Step::published) --resends_due;
        entry.resend_due = false;
    }
};

struct SessionModel {
    Outgoing from_client, from_broker;
    std::size_t most_in_flight = 0; // from the client, at any time

    struct Filter {
        TopicFilter filter;
        QoS granted = QoS::at_most_once;
        std::uint64_t since = 0; // the broker's call that granted it
    };
    std::vector<Filter> filters;       // at the broker
    bool unheard = false;              // the broker began a session, and the client has not heard of it
    bool doubtful = false;             // the client took that session for the one it knew
    std::uint32_t epoch = 0;           // how many sessions the broker began for this client
    std::vector<core::Token> expected; // messages that the broker owes to this client, and some that arrived

    Filter* find(std::string_view filter) {
        for (auto& f : filters)
            if (f.filter.filter == filter) return &f;
        return nullptr;
    }
};

} // namespace tortoise::sim
