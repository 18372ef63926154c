#pragma once
/// What OpenSSL says, in this library's codes and words.

#include <openssl/x509_vfy.h>
#include <string>
#include <tortoise/error.hpp>

namespace tortoise::io {

/// The words of OpenSSL's first error in its queue.
std::string last_openssl_error();

/// The check of a certificate of the server's chain that is being made and has failed.
Error certificate_error(X509_STORE_CTX*, const std::string& host);

/// What is known about a handshake besides the error that ended it.
struct HandshakeState {
    bool certificate_asked = false; ///< the server wanted one of us
    bool certificate_given = false;
    std::string psk_identity = {}; ///< whose shared key we offered
    std::string versions = {};     ///< that we allow: "1.2 and 1.3"
};

/// From the error at the head of OpenSSL's queue.
Error handshake_error(const HandshakeState&);

} // namespace tortoise::io
