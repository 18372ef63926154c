#include "jackalope/settings.hpp"
#include "jackalope/adapter.hpp"

namespace jackalope {

namespace {

using tortoise::Errc;
using tortoise::Error;
using tortoise::Retry;

constexpr auto expiry_with_store = std::chrono::hours(7 * 24); // the longest that the cloud's brokers allow

Error invalid(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

/// Only options that are wrong end a session: for anything else somebody may change the broker's mind, or the network.
Retry classify(const Error& error) noexcept {
    constexpr Errc wrong_options[] = {Errc::invalid_option, Errc::invalid_url, Errc::invalid_topic,
                                      Errc::invalid_filter, Errc::invalid_qos, Errc::tls_configuration};
    const Retry retry = tortoise::classify(error);
    if (retry != Retry::fatal) return retry;
    for (const Errc code : wrong_options)
        if (error.code == code) return Retry::fatal;
    return Retry::slow;
}

bool same(const tortoise::Queue& a, const tortoise::Queue& b) {
    return a.messages == b.messages && a.bytes == b.bytes && a.overflow == b.overflow;
}

bool same(const tortoise::Backoff& a, const tortoise::Backoff& b) {
    return a.min == b.min && a.max == b.max && a.stable_after == b.stable_after;
}

/// An option of the connection that has its place in the session's options; nothing is taken silently from the wrong
/// one.
const char* misplaced(const tortoise::ConnectionOptions& c) {
    const tortoise::ConnectionOptions untouched;
    if (!c.client_id.empty()) return "client_id";
    if (c.server != untouched.server) return "server";
    if (!c.more_servers.empty()) return "more_servers";
    if (c.handler) return "handler";
    if (!c.subscriptions.empty()) return "subscriptions (initial_topics)";
    if (c.session.clean_start != untouched.session.clean_start) return "session.clean_start (clean_session)";
    if (c.session.expiry != untouched.session.expiry) return "session.expiry (session_expiry)";
    if (c.user_name) return "user_name";
    if (c.password) return "password";
    if (c.will) return "will (last_will)";
    if (c.first_connect_delay != untouched.first_connect_delay) return "first_connect_delay";
    if (!same(c.backoff, untouched.backoff)) return "backoff";
    if (!same(c.queue, untouched.queue)) return "queue (work_list)";
    if (c.work_list) return "work_list";
    if (c.store) return "store";
    return nullptr;
}

tortoise::Result<tortoise::Store> store_of(SessionOptions& o) {
    const bool two = o.store && o.work_list.store;
    if (two) return invalid("there is a store in `store` and another one in `work_list`");
    auto store = o.work_list.store ? std::move(o.work_list.store) : std::move(o.store);
    if (o.work_list.durable && !store) return invalid("a DurableWorkList without a store");
    return store;
}

} // namespace

tortoise::Result<tortoise::ConnectionOptions> connection_options(SessionOptions o) {
    if (const char* name = misplaced(o.connection)) {
        return invalid(std::string("connection.") + name + " has its place in the options of the session");
    }
    if (o.work_list.own && !o.work_list.make) return invalid("an OwnWorkList without `make`");
    auto store = store_of(o);
    if (!store) return std::move(store).error();

    const bool durable = static_cast<bool>(*store);
    auto c = std::move(o.connection);
    c.client_id = std::move(o.client_id);
    c.server = std::move(o.server);
    c.more_servers = std::move(o.more_servers);
    c.user_name = std::move(o.user_name);
    c.password = std::move(o.password);
    c.handler = adapted(std::move(o.handler));
    c.handler_failure = tortoise::HandlerFailure::restart;
    c.subscriptions = std::move(o.initial_topics);
    c.session.clean_start = o.clean_session && !durable;
    if (o.session_expiry)
        c.session.expiry = *o.session_expiry;
    else if (durable)
        c.session.expiry = expiry_with_store;
    c.will = std::move(o.last_will);
    c.queue = o.work_list.bounds;
    c.work_list = std::move(o.work_list.make);
    c.store = *std::move(store);
    c.backoff = o.backoff;
    c.first_connect_delay = o.first_connect_delay;
    if (c.classify == &tortoise::classify) c.classify = &classify;
    return c;
}

} // namespace jackalope
