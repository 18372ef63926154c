#include "core/clouds.hpp"
#include "io/signing.hpp"
#include "io/url.hpp"
#include <algorithm>
#include <tortoise/profile.hpp>

namespace tortoise {

namespace {

namespace clouds = core::clouds;

/// A rate that stays within what is allowed in each second, whenever it begins: burst and rate together are not more.
Rate within(Rate allowed) {
    if (allowed.per_second < 2) return {allowed.per_second, allowed.per_second};
    const auto burst = std::max<std::uint32_t>(allowed.per_second / 10, 1);
    return {allowed.per_second - burst, burst};
}

PeerLimits paced(PeerLimits limits) {
    for (auto* rate : {&limits.publishes, &limits.octets, &limits.subscribes, &limits.connects}) *rate = within(*rate);
    return limits;
}

Error missing(const Profile& profile, const std::string& what) {
    return make_error(Errc::invalid_option, what + " (profile " + profile.name + ")");
}

std::string whole_url(const std::string& server, std::uint16_t port) {
    if (server.find("://") != std::string::npos) return server;
    const bool has_port = server.find(':') != std::string::npos;
    return "mqtts://" + server + (has_port ? "" : ":" + std::to_string(port));
}

bool is_proven(const Profile& profile, const ConnectionOptions& o, const io::Url& url) {
    const auto& tls = o.tls;
    if (o.credentials || o.connect_properties.view().get(property::authentication_method)) return true;
    switch (profile.proof) {
    case Profile::Proof::nothing: return true;
    case Profile::Proof::certificate: return !tls.certificate.empty() || !tls.certificate_file.empty();
    case Profile::Proof::password: return o.user_name.has_value() || url.user.has_value();
    }
    return true;
}

constexpr const char* proof_wanted(Profile::Proof proof) {
    return proof == Profile::Proof::certificate ? "tls.certificate is missing: clients show a certificate"
                                                : "user_name is missing: clients show who they are";
}

Profile named(const char* name, PeerLimits limits, Profile::Proof proof) {
    Profile profile;
    profile.name = name;
    profile.limits = paced(std::move(limits));
    profile.proof = proof;
    return profile;
}

} // namespace

namespace profiles {

Profile aws() {
    auto profile = named("aws", clouds::aws(), Profile::Proof::certificate);
    profile.max_in_flight = clouds::aws_in_flight;
    profile.needs_client_id = true; // policies name it
    return profile;
}

Profile aws_443() {
    auto profile = aws();
    profile.name = "aws-443";
    profile.port = 443;
    profile.alpn = {"x-amzn-mqtt-ca"};
    return profile;
}

Profile aws_authorizer() {
    auto profile = aws();
    profile.name = "aws-authorizer";
    profile.port = 443;
    profile.alpn = {"mqtt"};
    profile.proof = Profile::Proof::password;
    return profile;
}

Profile azure_event_grid() {
    auto profile = named("azure-event-grid", clouds::azure_event_grid(), Profile::Proof::certificate);
    profile.max_in_flight = clouds::azure_event_grid_in_flight;
    profile.longest_session = std::chrono::hours(8);
    profile.needs_client_id = true;
    return profile;
}

Profile azure_iot_hub() {
    auto profile = named("azure-iot-hub", clouds::azure_iot_hub(), Profile::Proof::password);
    profile.v5 = false;
    profile.needs_client_id = true;
    return profile;
}

Profile google() {
    PeerLimits limits;
    limits.maximum_qos = QoS::at_least_once;
    auto profile = named("google", limits, Profile::Proof::password);
    profile.v5 = false;
    profile.needs_client_id = true;
    return profile;
}

Profile emqx_serverless() {
    auto profile = named("emqx-serverless", clouds::emqx_serverless(), Profile::Proof::password);
    profile.max_in_flight = clouds::emqx_in_flight;
    profile.longest_session = std::chrono::hours(2);
    return profile;
}

Profile emqx() { return named("emqx", clouds::emqx(), Profile::Proof::nothing); }
Profile hivemq_cloud() { return named("hivemq-cloud", {}, Profile::Proof::password); }

Profile portable() {
    auto profile = named("portable", clouds::portable(), Profile::Proof::nothing);
    profile.max_in_flight = clouds::emqx_in_flight;
    profile.longest_session = std::chrono::hours(1);
    profile.needs_client_id = true;
    return profile;
}

} // namespace profiles

Result<ConnectionOptions> apply(const Profile& profile, ConnectionOptions o) {
    o.server = whole_url(o.server, profile.port);
    for (auto& server : o.more_servers) server = whole_url(server, profile.port);
    if (profile.needs_client_id && o.client_id.empty())
        return missing(profile, "client_id is empty; it has to be given");
    if (!o.transport) {
        const auto url = io::parse_url(o.server);
        if (!url) return url.error();
        // Whoever names another scheme tries it without TLS, and without what goes with it.
        if (url->secure() && !is_proven(profile, o, *url)) return missing(profile, proof_wanted(profile.proof));
    }
    if (o.tls.alpn.empty()) o.tls.alpn = profile.alpn;
    o.tls.minimum = std::max(o.tls.minimum, profile.minimum_tls);
    if (!profile.v5) o.version = Version::v3_1_1;
    if (profile.longest_session) o.session.expiry = std::min(o.session.expiry, *profile.longest_session);
    if (profile.max_in_flight != 0) {
        o.max_in_flight =
            o.max_in_flight == 0 ? profile.max_in_flight : std::min(o.max_in_flight, profile.max_in_flight);
    }
    const bool check = o.limits.check, split = o.limits.split_subscribes;
    o.limits = profile.limits;
    o.limits.check = check;
    o.limits.split_subscribes = split;
    return o;
}

std::string aws_authorizer_user(const AwsAuthorizer& authorizer) {
    std::string name = authorizer.user;
    char separator = '?';
    const auto add = [&](const std::string& key, const std::string& value) {
        if (key.empty() || value.empty()) return;
        name += separator + key + '=' + value;
        separator = '&';
    };
    add("x-amz-customauthorizer-name", authorizer.name);
    add(authorizer.token_key, authorizer.token);
    add("x-amz-customauthorizer-signature", io::percent_encoded(authorizer.signature));
    return name;
}

Result<ConnectionOptions> azure_iot_hub_device(const AzureDevice& device, ConnectionOptions o) {
    o.client_id = device.device;
    o.user_name.reset(); // they come with the token
    o.password.reset();
    if (o.server == ConnectionOptions{}.server) o.server = device.hub;
    o.credentials = sas_credentials({.resource = device.hub + "/devices/" + device.device, .key = device.key},
                                    device.hub + '/' + device.device + "/?api-version=2021-04-12", device.token_life);
    return apply(profiles::azure_iot_hub(), std::move(o));
}

} // namespace tortoise
