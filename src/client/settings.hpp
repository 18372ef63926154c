#pragma once
/// The options of a connection, checked and sorted by who needs them.

#include "client/kept_session.hpp"
#include "io/connector.hpp"
#include "io/url.hpp"
#include <cstdint>
#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/core/engine.hpp>
#include <vector>

namespace tortoise {

/// How Server References are followed.
struct RedirectSettings {
    unsigned at_most = 0;       // in a row
    Duration stable_after = {}; // a connection up for that long begins a new row
    bool secure = false;        // there is what TLS takes
    bool own_transport = false; // of the user's: who knows what it makes of another server
};

struct Settings {
    core::EngineOptions engine;
    std::vector<io::Url> endpoints;
    io::Means means;                      // of connecting to them
    std::vector<Credentials> credentials; // of each endpoint; empty: none has any
    CredentialsFunction ask_credentials;  // instead, if there is one
    AuthenticatorFactory authenticator;
    RedirectSettings redirects;
    std::optional<Will> will;
    HandlerFactory handler;
    HandlerFailure handler_failure = HandlerFailure::end;
    WorkListFactory work_list;
    KeptSession kept;                  // false: there is no store
    std::vector<std::string> warnings; // for the handler
};

/// The error names the option, its value and what is allowed.
Result<Settings> settings_from(ConnectionOptions);

/// May it be asked for at all? The broker may refuse it nevertheless.
Result<Done> check_subscription(const TopicFilter&, Version);
Result<Done> check_will(const Will&, Version, const PeerLimits&);
Result<Done> check_credentials(const Credentials&, Version);
Result<Done> check_authentication(const core::Authentication&);
Result<Done> check_disconnect(const DisconnectOptions&, Version);

/// "5 s", "20 ms"
std::string in_words(Duration);
std::uint64_t random_seed();
std::string made_up_client_id();

} // namespace tortoise
