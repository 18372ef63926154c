#pragma once
/// Requests that await replies. [MQTT-4.10]

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/core/engine.hpp>

namespace tortoise {

/// An open request, until its time is over:
///
///   state    event                              next    answer
///   open     reply, one is wanted               –       the reply
///   open     reply, several are wanted          open    – (the callback gets it)
///   open     publish failed, nobody listens,    –       that error
///            response topic refused
///   open     time is over                       –       timeout; of several: how many came
///   open     cancelled, connection ended        –       that error
///
/// Replies are told apart by their correlation data; on MQTT 3.1.1, which has none, the oldest request with the topic
/// is meant.
class Replies {
public:
    using Number = std::uint64_t; // of a request, ascending
    struct Asked {
        std::string response_topic;
        core::Time until;
        OnMessage each = {}; // of many
        detail::Ref<detail::PendingResult<Message>> one = {};
        detail::Ref<detail::PendingResult<std::size_t>> many = {};
        std::size_t replies = 0;

        void fail(const Error&) const;
        void time_over() const;
    };
    /// With the secret, strangers cannot guess what to answer. `left`: told the response topic of each request that
    /// ended.
    Replies(Version version, std::uint64_t secret, Fn<void(const std::string&)> left)
        : version_(version), secret_(secret), left_(std::move(left)) {}

    // ---- Any thread
    Number number() noexcept { return next_.fetch_add(1, std::memory_order_relaxed); }
    /// 16 octets.
    std::string correlation(Number) const;
    /// Where replies come if the user names no topic, below the broker's Response Information.
    std::string response_topic(std::string_view client_id, std::string_view information) const;
    /// A response topic is subscribed while requests use it; whoever changes that holds the lock meanwhile, so that
    /// what is asked of the broker has the same order.
    std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
    /// Under the lock. True: nobody used it.
    bool enter(const std::string& response_topic) { return ++users_[response_topic] == 1; }
    /// Under the lock. True: nobody uses it any more.
    bool leave(const std::string& response_topic);

    // ---- The loop's thread
    void open(Number, Asked);
    void arrived(Connection&, const MessageView&);
    /// Ends it, if it is still open.
    void fail(Number, const Error&);
    void fail_all(const std::string& response_topic, const Error&);
    void end(const Error&);
    void elapsed(core::Time now);
    std::optional<core::Time> next_due() const;

private:
    using Open = std::map<Number, Asked>;
    Open::iterator meant_by(const MessageView&);
    Asked take(Open::iterator);

    const Version version_;
    const std::uint64_t secret_;
    std::atomic<Number> next_{1};
    std::mutex mutex_;
    std::map<std::string, std::size_t> users_; // guarded by mutex_
    Fn<void(const std::string&)> left_;
    Open open_;
    std::set<std::pair<core::Time, Number>> due_;
    std::map<std::string, std::set<Number>> by_topic_;
};

} // namespace tortoise
