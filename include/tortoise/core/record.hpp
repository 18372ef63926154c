#pragma once
/// What a session leaves behind for its next life: records, and what is done to them. The engine writes their contents and
/// reads them again; whoever keeps them needs not understand them.

#include <cstdint>
#include <string>

namespace tortoise::core {

enum class RecordKind : std::uint8_t {
    session = 1,  ///< key 0: who the session is
    message = 2,  ///< key: grows with each message that was accepted; waiting or in flight
    inbound = 3,  ///< key: the packet identifier of a QoS 2 message that was handled and not yet released
};

/// The mark is the part that changes, kept apart so that a change does not rewrite the value: of a message 0 while it waits,
/// then how far it got.
struct Record {
    RecordKind kind = RecordKind::message;
    std::uint64_t key = 0;
    std::uint64_t mark = 0;
    std::string value = {};
    friend bool operator==(const Record&, const Record&) = default;
};

/// A change. Kind and key name the record. `put` sets it as a whole, `mark` only its mark, `erase` removes it; both do
/// nothing to a record that is not there.
struct RecordChange {
    enum class Action : std::uint8_t { put, mark, erase } action = Action::put;
    Record record;
};

} // namespace tortoise::core
