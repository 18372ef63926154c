#pragma once
/// SCRAM-SHA-256 (RFC 5802, RFC 7677) as an Authenticator: the password never travels, and the broker has to prove that it
/// knows it too.

#include <cstdint>
#include <string>
#include <tortoise/authenticator.hpp>

namespace tortoise {

/// What a broker may ask for. Its iterations are computed on the loop thread (some 0.2 s for a million), once for each salt.
struct ScramLimits {
    std::uint32_t least_iterations = 4'096;     ///< fewer: a broker that is after the password
    std::uint32_t most_iterations = 1'000'000;  ///< more: a broker that is after our time
};

/// `.authenticator = scram_sha_256("ann", "open sesame")`. Name and password are UTF-8, and taken as they are (SASLprep is
/// left to the caller). Errors: Reason::bad_user_name_or_password if the broker says so, not_authorized if its proof is wrong.
AuthenticatorFactory scram_sha_256(std::string user_name, std::string password, ScramLimits = {});

} // namespace tortoise
