#pragma once
/// How a connection is secured. The defaults verify the server's chain, name and dates against the system's trust store.

#include <cstdint>
#include <string>
#include <tortoise/fn.hpp>
#include <vector>

namespace tortoise {

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

/// Certificates and keys are PEM or DER, told apart by their content; from a file or from memory. Files are read once, by
/// the thread that makes the connection; what is wrong with them, or with anything here, is Errc::tls_configuration.
struct Tls {
    /// False: whoever answers is believed. Dangerous, and said so to Handler::warning().
    bool verify = true;

    // Whom to trust: all of these together. None of them: the system's trust store.
    std::string ca_file = {};                       ///< a file of one or more certificates
    std::string ca_path = {};                       ///< a directory of hashed certificates, as c_rehash makes
    std::vector<std::string> ca_certificates = {};  ///< in memory; a PEM string may hold several

    // Who we are, if the server asks.
    std::string certificate_file = {};  ///< with its chain behind it, if PEM
    std::string key_file = {};          ///< neither key: it stands where the certificate does
    std::string certificate = {};       ///< in memory, instead of a file
    std::string key = {};
    SharedFn<std::string()> key_passphrase = {};  ///< asked if the key is encrypted

    // A shared key instead of certificates.
    std::string psk_identity = {};
    std::string psk = {};  ///< the key's octets

    std::string server_name = {};        ///< for SNI and the check of the certificate's name; empty: the URL's host
    std::vector<std::string> alpn = {};  ///< protocols offered, e.g. "x-amzn-mqtt-ca"
    TlsVersion minimum = TlsVersion::v1_2;
    TlsVersion maximum = TlsVersion::v1_3;
    std::string ciphers = {};        ///< OpenSSL's list for TLS 1.2; empty: its default
    std::string cipher_suites = {};  ///< OpenSSL's list for TLS 1.3; empty: its default
    bool resume = true;              ///< resume the TLS session at a reconnect
};

} // namespace tortoise
