#pragma once
/// What a session leaves behind for its next life, as changes to records; and the way back.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tortoise/core/packet.hpp>
#include <tortoise/core/record.hpp>
#include <tortoise/core/time.hpp>
#include <tortoise/core/work_list.hpp>
#include <tortoise/result.hpp>
#include <vector>

namespace tortoise::core {

/// What of the outbound and inbound flows [MQTT-4.3] is written down when:
///
///   what happens                          change         before what is sent next
///   a message waits                       put, mark 0    yes: its acceptance is told then
///   … is sent at once (QoS 1, 2)          put, mark      yes
///   … is sent, having waited (QoS 1, 2)   mark           yes
///   … is sent, having waited (QoS 0)      erase          yes: at most once
///   … is released (PUBREC)                mark           yes: PUBREL says that it is never published again
///   … waits again (session lost)          mark 0         no
///   … ends                                erase          no: at worst its end is heard of twice
///   an inbound QoS 2 message was handled  put            yes: PUBREC says that we have it
///   … is released (PUBREL)                erase          yes: its identifier may be used again after PUBCOMP
///   the broker accepted us                put            no
///
/// Switched off it writes nothing, and costs nothing.
class Journal {
public:
    explicit Journal(bool on = false) : on_(on) {}

    bool on() const noexcept { return on_; }
    /// What time it is; for times to live that go on while nobody runs.
    void set_wall_clock(Time now, WallTime wall) noexcept {
        wall_ahead_ = wall.time_since_epoch() - now.time_since_epoch();
    }
    std::uint64_t next_key() noexcept { return next_key_++; }

    void waits(const WorkItem&);
    void sent(const WorkItem&, PacketId);
    void sent_after_waiting(const WorkItem&, PacketId);
    void released(const WorkItem&, PacketId);
    void waits_again(const WorkItem&);
    void ended(const WorkItem&);
    void handled(PacketId);
    void handled_and_released(PacketId);
    void accepted_as(std::string_view client_id);

    bool has_changes() const noexcept { return !changes_.empty(); }
    /// Appends the changes since the last time. True: what follows from them must wait until they are kept.
    bool take(std::vector<RecordChange>& into);

    struct Message {
        WorkItem item;
        PacketId id = 0; ///< 0: it waits
        bool released = false;
    };
    struct Session {
        std::vector<Message> waiting;   ///< in the order of their acceptance
        std::vector<Message> in_flight; ///< in the order of sending
        std::vector<PacketId> handled;
        bool accepted = false; ///< a broker knows us
    };
    /// Goes on where these records ended. The error, store_damaged, names the record that cannot be.
    Result<Session> restore(Time now, std::span<const Record>);
    /// The client id in the records of a session; empty if there is none.
    static std::string client_id(std::span<const Record>);

private:
    void change(RecordChange::Action, RecordKind, std::uint64_t key, std::uint64_t mark, std::string value, bool first);
    std::string written(const WorkItem&) const;
    std::uint64_t mark_of(PacketId id) noexcept;
    Result<Message> read_message(Time now, const Record&) const;

    bool on_;
    bool first_ = false; // one of the changes must be kept before anything is sent
    std::uint64_t next_key_ = 1, next_sending_ = 1;
    std::chrono::nanoseconds wall_ahead_{};
    std::vector<RecordChange> changes_;
};

} // namespace tortoise::core
