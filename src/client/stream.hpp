#pragma once
/// What a stream is made of: a bounded queue between the loop, which fills it, and its user, who pulls.

#include <deque>
#include <mutex>
#include <optional>
#include <tortoise/core/engine.hpp>
#include <tortoise/stream.hpp>
#include <vector>

namespace tortoise {

class Stream::Core {
public:
    Core(detail::Ref<Connection::Core>, std::vector<TopicFilter>, StreamOptions);
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    // ---- Any thread
    /// Wants the filters; from then on the connection knows it.
    void begin();
    Pending<std::vector<Result<Grant>>> granted() const { return *granted_; }
    Pending<Message> next();
    std::optional<Message> try_next();
    std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
    void close();

    // ---- The loop's thread
    /// True: the stream acknowledges it, when its time has come.
    bool take(const MessageView&, core::InboundId);
    /// No more messages come.
    void end(const Error& why);
    /// What it has to say to the connection: acknowledgements, and whether it can take more.
    struct News {
        std::vector<core::InboundId> handled;
        bool full = false;
    };
    News news();

private:
    using Next = detail::PendingResult<Message>;
    struct Entry {
        Message message;
        core::InboundId id = 0;
        std::size_t size() const noexcept {
            return message.topic.size() + message.payload.size() + message.properties.view().octets().size();
        }
    };

    bool over() const noexcept;
    bool give(Entry&, std::unique_lock<std::mutex>&);
    std::optional<Message> pull();
    void handled_what_was_given();
    bool decline(core::InboundId, std::unique_lock<std::mutex>&);
    void drop_oldest();
    void tell(std::unique_lock<std::mutex>&);
    void withdraw(Next*);

    std::atomic<int> references_{1};
    const detail::Ref<Connection::Core> connection_;
    const std::vector<TopicFilter> filters_;
    const StreamOptions options_;
    const bool acknowledges_;
    std::optional<Pending<std::vector<Result<Grant>>>> granted_; // from begin() on
    std::atomic<std::uint64_t> dropped_{0};

    std::mutex mutex_;
    std::deque<Entry> queue_;
    std::size_t bytes_ = 0;                 // of queue_
    std::deque<detail::Ref<Next>> waiting_; // for the next message: the queue is empty
    std::vector<core::InboundId> given_;    // pulled, and perhaps at work
    std::vector<core::InboundId> handled_;  // to be acknowledged
    std::optional<Error> ended_;
    bool full_ = false, told_ = false, closed_ = false;
};

} // namespace tortoise
