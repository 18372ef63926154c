#pragma once
/// What users' threads ask of a connection, on its way to the loop: publishes, copied end to end into one buffer, and
/// calls.

#include <cstddef>
#include <mutex>
#include <string>
#include <tortoise/core/engine.hpp>
#include <tortoise/fn.hpp>
#include <vector>

namespace tortoise::io {

using core::Time;

/// Many producers, one consumer. It keeps the order of what was put in, and counts what has not been consumed: at its
/// limit it refuses.
class Mailbox {
public:
    /// Called on the loop; or, with the reason, when the connection ended before its turn came.
    using Call = Fn<void(const Error* ended)>;

    explicit Mailbox(std::size_t limit) noexcept : limit_(limit) {}

    enum class Put {
        taken,
        taken_by_sleeper, ///< taken, and the consumer has to be woken: nobody else will do it
        full,
        closed,
    };
    /// `at`: when the user published it; its time to live runs from there.
    Put put(const core::PublishRequest&, Time at);
    Put put(Call, std::size_t cost);
    /// Never full: for what must get through, and does not come in masses.
    Put put(Call call) { return put(std::move(call), 0); }
    /// Overtakes everything, and is never full: what must not wait behind a peer that does not read.
    Put put_urgent(Call);

    /// What was taken out; read front to back.
    class Batch {
    public:
        bool empty() const noexcept { return read_ == octets_.size(); }
        std::size_t consumed() const noexcept { return consumed_; }

    private:
        friend class Mailbox;
        std::string octets_;
        std::vector<Call> calls_;
        std::size_t read_ = 0, next_call_ = 0;
        std::size_t consumed_ = 0; // in the limit's measure, not yet given back
    };

    /// Consumer: everything that is there, into an empty batch. If there is nothing the consumer sleeps from now on.
    bool take(Batch&);
    /// Consumer: the next of the batch goes to one of the two. What `publish` gets is valid during the call.
    template <class Publish, class Perform> void next(Batch& batch, Publish&& publish, Perform&& perform) {
        const Record record = read(batch);
        if (record.is_call) return perform(std::move(batch.calls_[batch.next_call_++]));
        publish(request(batch, record), record.at);
    }
    /// Consumer: the urgent ones, into an empty vector. False if there are none.
    bool take_urgent(std::vector<Call>&);
    /// Consumer: what was consumed makes room.
    void give_back(Batch&);
    /// Refuses everything from now on. What is inside can still be taken.
    void close();

private:
    struct Record {
        Time at;
        core::Token token;
        Duration ttl; // negative: none
        std::size_t payload;
        std::uint32_t topic, properties;
        int priority;
        QoS qos;
        bool retain, is_call;
    };
    static Record read(Batch&);
    static core::PublishRequest request(Batch&, const Record&);
    Put accepted() noexcept;
    // One alone always fits: whether it is too large is not decided here.
    bool fits(std::size_t cost) const noexcept { return used_ == 0 || (cost <= limit_ && used_ <= limit_ - cost); }

    const std::size_t limit_;
    std::mutex mutex_;
    std::string octets_;
    std::vector<Call> calls_, urgent_;
    std::size_t used_ = 0;
    bool awake_ = false, closed_ = false;
};

} // namespace tortoise::io
