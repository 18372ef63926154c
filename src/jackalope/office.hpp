#pragma once
/// What a Session hands everything on to.

#include <atomic>
#include <jackalope/session.hpp>

namespace jackalope {

/// Counts its owners. Every function is what Session says of it.
class Session::Office {
public:
    Office() = default;
    Office(const Office&) = delete;
    Office& operator=(const Office&) = delete;
    void retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    static Session session(tortoise::detail::Ref<Office> office) noexcept { return Session(std::move(office)); }

    virtual std::string_view client_id() const noexcept = 0;
    virtual ConnectionStatus connection_status() const noexcept = 0;
    virtual tortoise::Error error() const = 0;
    virtual tortoise::Pending<tortoise::SessionInfo> online() = 0;
    virtual tortoise::Delivery publish(std::string_view topic, tortoise::Octets payload, PublishOptions) = 0;
    virtual tortoise::Pending<tortoise::Grant> subscribe(tortoise::TopicFilter) = 0;
    virtual tortoise::Pending<tortoise::Done> unsubscribe(std::string filter) = 0;
    virtual std::vector<tortoise::TopicFilter> subscriptions() const = 0;
    virtual void reconnect() = 0;
    virtual Work work() const = 0;
    virtual tortoise::Statistics statistics() const = 0;
    virtual tortoise::Pending<tortoise::Done> stop(tortoise::Duration drain) = 0;

protected:
    virtual ~Office() = default;

private:
    std::atomic<int> owners_{1};
};

/// What a publish says of itself before anybody looks at the work list; nothing if it may go on.
std::optional<tortoise::Error> refusal_of(const PublishOptions&);

} // namespace jackalope
