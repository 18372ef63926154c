#include "client/settings.hpp"
#include "core/codec/utf8.hpp"
#include "core/give_back.hpp"
#include "core/journal.hpp"
#include "core/limits.hpp"
#include "io/websocket.hpp"
#include <algorithm>
#include <chrono>
#include <random>
#include <tortoise/core/codec.hpp>
#include <tortoise/topic.hpp>

namespace tortoise {

namespace {

using std::chrono::seconds;

constexpr std::int64_t two_octets = 65'535, four_octets = 4'294'967'295;

Error invalid(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

Result<Done> whole_seconds(const char* name, Duration value, std::int64_t most) {
    if (value >= Duration(0) && value % seconds(1) == Duration(0) && value / seconds(1) <= most) return Done{};
    return invalid(std::string(name) + " is " + in_words(value) + "; allowed: whole seconds from 0 to " +
                   std::to_string(most));
}

Result<Done> at_least(const char* name, Duration value, Duration least) {
    if (value >= least) return Done{};
    return invalid(std::string(name) + " is " + in_words(value) +
                   "; allowed: " + (least > Duration(0) ? "more than 0" : "0 or more"));
}

Result<Done> utf8_string(const char* name, std::string_view value) {
    switch (core::utf8_fault(value)) {
    case core::Utf8Fault::none: return Done{};
    case core::Utf8Fault::too_long: return invalid(std::string(name) + " has more than 65,535 bytes");
    case core::Utf8Fault::ill_formed: return invalid(std::string(name) + " is not UTF-8");
    case core::Utf8Fault::null: return invalid(std::string(name) + " contains U+0000");
    }
    return Done{};
}

bool is_qos(QoS qos) { return qos <= QoS::exactly_once; }

Result<Done> check_durations(const ConnectionOptions& o) {
    constexpr Duration some(1), none(0);
    for (auto& checked : {
             whole_seconds("keep_alive", o.keep_alive, two_octets),
             whole_seconds("session.expiry", o.session.expiry, four_octets),
             at_least("keep_alive_timeout", o.keep_alive_timeout, some),
             at_least("connect_timeout", o.connect_timeout, some),
             at_least("reply_timeout", o.reply_timeout, some),
             at_least("first_connect_delay", o.first_connect_delay, none),
             at_least("backoff.min", o.backoff.min, none),
             at_least("backoff.stable_after", o.backoff.stable_after, none),
         }) {
        if (!checked) return checked;
    }
    if (o.backoff.max < o.backoff.min) {
        return invalid("backoff.max is " + in_words(o.backoff.max) + ", less than backoff.min (" +
                       in_words(o.backoff.min) + ")");
    }
    return Done{};
}

Result<Done> check_names(const ConnectionOptions& o) {
    if (auto ok = utf8_string("client_id", o.client_id); !ok) return ok;
    return Done{};
}

Result<Done> check_numbers(const ConnectionOptions& o) {
    if (o.version != Version::v3_1_1 && o.version != Version::v5) {
        return invalid("version is " + std::to_string(static_cast<int>(o.version)) +
                       "; allowed: Version::v3_1_1, Version::v5");
    }
    if (o.receive_maximum == 0) return invalid("receive_maximum is 0; allowed: 1 to 65535");
    if (o.maximum_packet_size == 0 || o.maximum_packet_size > core::largest_packet) {
        return invalid("maximum_packet_size is " + std::to_string(o.maximum_packet_size) + "; allowed: 1 to " +
                       std::to_string(core::largest_packet));
    }
    if (o.queue.overflow > Overflow::by_priority) return invalid("queue.overflow is none of the policies");
    if (!o.classify) return invalid("classify is null");
    if (o.version == Version::v3_1_1 && o.authenticator)
        return invalid("authenticator is set; MQTT 3.1.1 has no enhanced authentication");
    const PropertiesView properties = o.connect_properties;
    if (properties.get(property::authentication_method) || properties.get(property::authentication_data))
        return invalid("connect_properties have an Authentication Method or Data; allowed: the option authenticator");
    std::string trial;
    const core::Unsubscribe sample{1, {"a"}, o.subscribe_properties};
    if (auto ok = core::encode(o.version, core::Packet(sample), trial); !ok)
        return invalid("subscribe_properties: " + ok.error().describe() + "; allowed: user properties, on MQTT 5");
    if (o.version == Version::v3_1_1 && !o.connect_properties.empty()) {
        return invalid("connect_properties are not empty; MQTT 3.1.1 has no properties");
    }
    return Done{};
}

Error about(const char* option, const core::Excess& excess) {
    auto error = excess.error();
    error.text = std::string(option) + ": " + error.text;
    return error;
}

/// What the options ask for at the start is within what is known of the server.
Result<Done> check_against_limits(const ConnectionOptions& o) {
    const auto& limits = o.limits;
    if (limits.most_keep_alive > Duration(0) && limits.most_keep_alive < limits.least_keep_alive) {
        return invalid("limits.most_keep_alive is " + in_words(limits.most_keep_alive) +
                       ", less than limits.least_keep_alive (" + in_words(limits.least_keep_alive) + ")");
    }
    if (const auto found = core::excess_of_client_id(limits, o.client_id)) return about("client_id", *found);
    if (const auto found = core::excess_of_request(limits, o.connect_properties))
        return about("connect_properties", *found);
    if (!limits.check) return Done{};
    const auto count = o.subscriptions.size();
    if (count > limits.subscriptions)
        return about("subscriptions", {core::Limit::subscriptions, count, limits.subscriptions});
    const auto too_many = core::excess_of_filters(limits, count);
    return too_many && !limits.split_subscribes ? Result<Done>(about("subscriptions", *too_many)) : Done{};
}

Result<Done> check_all(const ConnectionOptions& o) {
    if (auto ok = check_numbers(o); !ok) return ok;
    if (auto ok = check_names(o); !ok) return ok;
    if (auto ok = check_durations(o); !ok) return ok;
    if (auto ok = check_against_limits(o); !ok) return ok;
    for (const auto& filter : o.subscriptions) {
        if (auto ok = check_subscription(filter, o.version); !ok) return ok;
        if (const auto found = core::excess(o.limits, filter)) return about("subscriptions", *found);
    }
    return o.will ? check_will(*o.will, o.version, o.limits) : Result<Done>(Done{});
}

Result<Credentials> credentials_for(const ConnectionOptions& o, const io::Url& url) {
    Credentials c{o.user_name ? o.user_name : url.user, o.password ? o.password : url.password};
    if (auto ok = check_credentials(c, o.version); !ok) return std::move(ok).error();
    return c;
}

core::EngineOptions engine_options(ConnectionOptions&& o) {
    core::EngineOptions e;
    e.version = o.version;
    e.client_id = o.client_id.empty() ? made_up_client_id() : std::move(o.client_id);
    e.session = o.session;
    e.endpoints = 1 + o.more_servers.size();
    e.keep_alive = o.keep_alive;
    e.keep_alive_timeout = o.keep_alive_timeout;
    e.connect_timeout = o.connect_timeout;
    e.reply_timeout = o.reply_timeout;
    e.first_connect_delay = o.first_connect_delay;
    e.backoff = o.backoff;
    e.classify = o.classify;
    e.queue = o.queue;
    e.persistent = static_cast<bool>(o.store);
    e.topic_aliases = o.topic_aliases;
    e.max_in_flight = o.max_in_flight;
    e.receive_maximum = o.receive_maximum;
    e.maximum_packet_size = o.maximum_packet_size;
    e.limits = std::move(o.limits);
    e.connect_properties = std::move(o.connect_properties);
    e.subscribe_properties = std::move(o.subscribe_properties);
    e.subscriptions = std::move(o.subscriptions);
    return e;
}

/// Files are read here, on the user's thread.
Result<Done> set_means(Settings& settings, const ConnectionOptions& o) {
    settings.means.transport = o.transport;
    if (auto ok = io::check_headers(o.websocket.headers); !ok) return ok;
    if (!o.proxy.empty() && o.transport) return invalid("proxy and transport are both set; allowed: one of them");
    if (!o.proxy.empty() || !o.websocket.headers.empty()) {
        auto detours = std::make_unique<io::Detours>();
        detours->headers = o.websocket.headers;
        if (!o.proxy.empty()) {
            auto proxy = io::parse_proxy_url(o.proxy);
            if (!proxy) return proxy.error();
            detours->proxy = std::move(*proxy);
        }
        settings.means.detours = std::move(detours);
    }
    const bool secure = std::ranges::any_of(settings.endpoints, [](const io::Url& url) { return url.secure(); });
    if (!secure) return Done{};
    auto tls = io::make_client_tls(o.tls);
    if (!tls) return tls.error();
    settings.means.tls = std::move(*tls);
    if (!o.tls.verify) {
        settings.warnings.emplace_back(
            "TLS without verification (tls.verify = false): whoever answers is believed, and "
            "can read and change everything. Not for use");
    }
    return Done{};
}

} // namespace

Result<Done> check_subscription(const TopicFilter& f, Version version) {
    if (auto ok = check_filter(f.filter); !ok) return ok;
    if (!is_qos(f.options.qos)) {
        return make_error(Errc::invalid_qos, "QoS of '" + f.filter + "' is " +
                                                 std::to_string(static_cast<int>(f.options.qos)) +
                                                 "; allowed: 0, 1, 2");
    }
    if (f.options.retain_handling > RetainHandling::do_not_send) {
        return invalid("retain_handling of '" + f.filter + "' is none of RetainHandling");
    }
    if (version == Version::v3_1_1 && f.options != SubscribeOptions{.qos = f.options.qos}) {
        return make_error(Errc::not_supported, "MQTT 3.1.1 has no subscription options but the QoS");
    }
    if (f.options.no_local && parse_shared(f.filter)) {
        return invalid("[MQTT-3.8.3-4] no_local on the shared subscription '" + f.filter + "'");
    }
    return Done{};
}

Result<Done> check_will(const Will& will, Version version, const PeerLimits& limits) {
    if (auto ok = check_topic(will.topic); !ok) return make_error(Errc::invalid_topic, "will: " + ok.error().text);
    if (!is_qos(will.qos)) {
        return make_error(Errc::invalid_qos,
                          "QoS of the will is " + std::to_string(static_cast<int>(will.qos)) + "; allowed: 0, 1, 2");
    }
    if (will.payload.size() > two_octets) {
        return make_error(Errc::packet_too_large, "the will's payload has " + std::to_string(will.payload.size()) +
                                                      " bytes; allowed: 0 to 65535");
    }
    if (auto ok = whole_seconds("will.delay", will.delay, four_octets); !ok) return ok;
    if (version == Version::v3_1_1 && !will.properties.empty()) {
        return invalid("will.properties are not empty; MQTT 3.1.1 has no properties");
    }
    const auto beyond = core::excess(limits, {.topic = will.topic,
                                              .payload = will.payload,
                                              .qos = will.qos,
                                              .retain = will.retain,
                                              .properties = will.properties});
    if (beyond) return about("will", *beyond);
    return Done{};
}

Result<Done> check_credentials(const Credentials& c, Version version) {
    if (c.user_name) {
        if (auto ok = utf8_string("user_name", *c.user_name); !ok) return ok;
    }
    if (c.password && c.password->size() > two_octets) return invalid("password has more than 65,535 bytes");
    if (version == Version::v3_1_1 && c.password && !c.user_name) {
        return invalid("[MQTT-3.1.2-22] password without user_name; MQTT 3.1.1 does not have that");
    }
    return Done{};
}

Result<Done> check_authentication(const core::Authentication& a) {
    if (a.method.empty()) return invalid("the authenticator's method is empty");
    if (auto ok = utf8_string("the authenticator's method", a.method); !ok) return ok;
    if (a.data.size() > two_octets) return invalid("the authenticator's data have more than 65,535 bytes");
    return Done{};
}

Result<Done> check_disconnect(const DisconnectOptions& o, Version version) {
    if (o.session_expiry) {
        if (auto ok = whole_seconds("session_expiry", *o.session_expiry, four_octets); !ok) return ok;
    }
    if (version == Version::v3_1_1) {
        const bool known = o.reason == Reason::success || o.reason == Reason::disconnect_with_will;
        return known && o.properties.empty() ? Result<Done>(Done{})
                                             : invalid("MQTT 3.1.1 has neither reasons nor properties in DISCONNECT");
    }
    const PropertiesView properties = o.properties;
    if (properties.get(property::session_expiry_interval) || properties.get(property::server_reference))
        return invalid("properties of DISCONNECT have a Session Expiry Interval or a Server Reference");
    std::string trial;
    if (auto ok = core::encode(version, core::Packet(core::Disconnect{o.reason, properties}), trial); !ok)
        return invalid("DISCONNECT: " + ok.error().describe());
    return Done{};
}

Result<Settings> settings_from(ConnectionOptions o) {
    if (auto ok = check_all(o); !ok) return ok.error();
    Settings settings;
    std::vector<std::string_view> servers{o.server};
    servers.insert(servers.end(), o.more_servers.begin(), o.more_servers.end());
    for (const auto server : servers) {
        auto url = o.transport ? Result<io::Url>(io::custom_url(server)) : io::parse_url(server);
        if (!url) return url.error();
        auto credentials = credentials_for(o, *url);
        if (!credentials) return credentials.error();
        settings.endpoints.push_back(std::move(*url));
        settings.credentials.push_back(std::move(*credentials));
    }
    const auto given = [](const Credentials& c) { return c.user_name || c.password; };
    if (std::ranges::none_of(settings.credentials, given)) core::give_back(settings.credentials);
    if (auto ok = set_means(settings, o); !ok) return ok.error();
    settings.will = std::move(o.will);
    settings.handler = std::move(o.handler);
    settings.handler_failure = o.handler_failure;
    settings.ask_credentials = std::move(o.credentials);
    settings.authenticator = std::move(o.authenticator);
    settings.redirects = {o.max_redirects, o.backoff.stable_after, settings.means.tls != nullptr,
                          static_cast<bool>(o.transport)};
    settings.work_list = std::move(o.work_list);
    if (o.store) {
        auto kept = KeptSession::load(o.store, o.client_id);
        if (!kept) return std::move(kept).error();
        settings.kept = std::move(*kept);
        if (o.client_id.empty()) o.client_id = core::Journal::client_id(settings.kept.records());
    }
    settings.engine = engine_options(std::move(o));
    return settings;
}

std::string in_words(Duration d) {
    const auto nanoseconds = d.count();
    if (nanoseconds % 1'000'000'000 == 0) return std::to_string(nanoseconds / 1'000'000'000) + " s";
    if (nanoseconds % 1'000'000 == 0) return std::to_string(nanoseconds / 1'000'000) + " ms";
    return std::to_string(nanoseconds) + " ns";
}

std::uint64_t random_seed() {
    std::random_device entropy;
    return std::uint64_t{entropy()} << 32 | entropy();
}

std::string made_up_client_id() {
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::random_device entropy;
    std::uniform_int_distribution<std::size_t> letter(0, letters.size() - 1);
    std::string id = "tortoise-";
    for (int i = 0; i < 12; ++i) id += letters[letter(entropy)];
    return id;
}

} // namespace tortoise
