#pragma once
/// What users' threads ask of a connection, on its way to the loop: publishes, copied end to end into chunks, and
/// calls. Plain publishes of QoS 0 that follow each other are encoded here, and leave as one run of packets.

#include "io/brief_mutex.hpp"
#include <cstddef>
#include <memory>
#include <tortoise/core/engine.hpp>
#include <tortoise/fn.hpp>
#include <vector>

namespace tortoise::io {

using core::Time;

/// Many producers, one consumer. It keeps the order of what was put in, and counts what has not been consumed: at its
/// limit, of octets or of publishes, it refuses. What was consumed is filled again while it is still in the processor's
/// cache.
class Mailbox {
    /// Records, each with the octets of its topic, payload and properties behind it.
    struct Chunk {
        std::unique_ptr<char[]> octets;
        std::size_t size = 0, capacity = 0;
    };

public:
    /// Called on the loop; or, with the reason, when the connection ended before its turn came.
    using Call = Fn<void(const Error* ended)>;

    static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

    Mailbox(Version version, std::size_t octets, std::size_t publishes = no_limit) noexcept
        : version_(version), limit_(octets), most_publishes_(publishes) {}

    enum class Put {
        taken,
        taken_by_sleeper, ///< taken, and the consumer has to be woken: nobody else will do it
        full,
        closed,
    };
    /// Of a request that was checked; `at`: when the user published it: its time to live runs from there.
    Put put(const core::PublishRequest&, Time at);
    Put put(Call, std::size_t cost);
    /// Never full: for what must get through, and does not come in masses.
    Put put(Call call) { return put(std::move(call), 0); }
    /// Overtakes everything, and is never full: what must not wait behind a peer that does not read.
    Put put_urgent(Call);

    /// What was taken out; read front to back.
    class Batch {
    public:
        bool empty() const noexcept { return chunk_ == chunks_.size(); }
        std::size_t consumed() const noexcept { return consumed_; }

    private:
        friend class Mailbox;
        std::vector<Chunk> chunks_; // none of them without a record
        std::vector<Call> calls_;
        std::size_t chunk_ = 0, read_ = 0; // where reading stands: in that chunk, so far
        std::size_t next_call_ = 0;
        std::size_t consumed_ = 0;  // in the limit's measure, not yet given back
        std::size_t publishes_ = 0; // … of them
    };

    /// Consumer: everything that is there, into an empty batch. If there is nothing the consumer sleeps from now on,
    /// and is woken.
    bool take(Batch&);
    /// Consumer: the same if it is that much; if not, nothing is taken, and the consumer comes again by itself.
    bool take_if(std::size_t octets, Batch&);
    /// Consumer: the next of the batch goes to one of the three: publish(PublishRequest, Time at), pass(PublishRun,
    /// Token), perform(Call). What they get is valid during the call.
    template <class Publish, class Pass, class Perform>
    void next(Batch& batch, Publish&& publish, Pass&& pass, Perform&& perform) {
        const auto& record = read(batch);
        if (record.kind == Record::call)
            perform(std::move(batch.calls_[batch.next_call_++]));
        else if (record.kind == Record::run)
            pass(run(record), record.token);
        else
            publish(request(record), asked_at(record));
        done_with(batch, record);
    }
    /// Consumer: the urgent ones, into an empty vector. False if there are none.
    bool take_urgent(std::vector<Call>&);
    /// Consumer: what was consumed makes room; take() and take_if() do it too.
    void give_back(Batch&);
    /// Refuses everything from now on. What is inside can still be taken.
    void close();
    /// How many publishes were taken so far. From any thread.
    std::uint64_t publishes() const;

private:
    /// Small, since every octet of it moves from one processor to another. Behind it: Extras, if it has some, then
    /// topic, payload and properties; or RunHead and packets.
    struct Record {
        std::uint64_t token;   // of a call: what it costs
        std::uint32_t payload; // octets; of a run: of all its packets
        std::uint16_t topic;
        QoS qos : 4;
        bool retain : 1;
        enum Kind : std::uint8_t { plain, with_extras, run, call } kind;
    };
    struct RunHead {
        std::uint32_t count, largest;
    };
    struct Extras {
        Time at;
        Duration ttl; // negative: none
        std::uint32_t properties;
        int priority;
    };
    static const Record& read(const Batch&) noexcept;
    static const Extras& extras_of(const Record&) noexcept;
    static std::size_t size_of(const Record&) noexcept;
    static std::size_t publishes_in(const Record&) noexcept;
    static core::PublishRequest request(const Record&) noexcept;
    static core::PublishRun run(const Record&) noexcept;
    static Time asked_at(const Record& r) noexcept { return r.kind == Record::plain ? Time{} : extras_of(r).at; }
    static void done_with(Batch&, const Record&) noexcept;
    Put put_into_run(const core::PublishRequest&);
    char* extend_run(core::Token, std::size_t size) noexcept;
    char* begin_run(core::Token, std::size_t size);
    char* room_for(std::size_t);
    void take_back(Batch&);
    void take_all(Batch&);
    Put accepted() noexcept;
    // One alone always fits: whether it is too large is not decided here.
    bool fits(std::size_t cost) const noexcept { return used_ == 0 || (cost <= limit_ && used_ <= limit_ - cost); }
    bool fits_publish(std::size_t cost) const noexcept { return waiting_ < most_publishes_ && fits(cost); }

    const Version version_;
    const std::size_t limit_, most_publishes_;
    mutable BriefMutex mutex_;
    std::uint64_t publishes_ = 0;
    std::vector<Chunk> chunks_, spare_;
    Record* run_ = nullptr; // at the end of the last chunk, if there is one: more can join it
    std::vector<Call> calls_, urgent_;
    std::size_t used_ = 0, waiting_ = 0; // octets, and publishes among them
    bool awake_ = false, closed_ = false;
};

} // namespace tortoise::io
