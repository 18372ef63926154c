#pragma once
/// Makes certificates: for tests, and for whoever tries TLS at home.

#include "io/tls_handles.hpp"
#include <chrono>
#include <string>

namespace tortoise::io {

struct Issued {
    KeyHandle key;
    CertificateHandle certificate; ///< null: it could not be made
};

struct Wanted {
    std::string name;
    std::string for_names; ///< empty: none
    std::chrono::seconds from, until;
    bool authority = false;
    std::string purposes = {}; ///< empty: any
};

/// Without an issuer it is signed by itself.
Issued issue(const Wanted&, const Issued* issuer);

/// "1234abcd.0": where OpenSSL looks for the authority in a directory.
std::string hashed_file_name(const X509&);

std::string pem(const X509&);
std::string der(const X509&);
std::string pem(const EVP_PKEY&, const std::string& passphrase);
std::string der(const EVP_PKEY&, const std::string& passphrase);

} // namespace tortoise::io
