#pragma once
/// Certificates for tests, made on the spot: an authority, a server's and a device's certificate are one call away.

#include <memory>
#include <string>
#include <tortoise/detail/chrono.hpp>
#include <tortoise/result.hpp>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tls.hpp>

namespace tortoise::testing {

/// What a certificate says.
struct Subject {
    std::string name = "broker";
    std::string for_names = "DNS:localhost,IP:127.0.0.1";  ///< alternative names, as OpenSSL writes them; empty: none
    std::chrono::hours from = std::chrono::hours(-24);     ///< seen from now
    std::chrono::hours until = std::chrono::hours(24);
    std::string purposes = {};  ///< "clientAuth", "serverAuth"; empty: any
};

/// A certificate with its key, on P-256. What could not be made (names that are none, …) is empty. Copies share it.
class Identity {
public:
    std::string certificate() const;  ///< PEM
    std::string certificate_der() const;
    std::string key(const std::string& passphrase = {}) const;  ///< PEM
    std::string key_der(const std::string& passphrase = {}) const;

protected:
    friend class Authority;
    struct Made;
    explicit Identity(std::shared_ptr<const Made> made) : made_(std::move(made)) {}
    std::shared_ptr<const Made> made_;
};

/// Issues certificates.
class Authority : public Identity {
public:
    explicit Authority(const std::string& name = "Test Authority");
    Identity issue(const Subject& = {}) const;
    /// An authority that this one vouches for.
    Authority issue_authority(const Subject&) const;
    Authority issue_authority(const std::string& name) const { return issue_authority(Subject{.name = name}); }
    /// One that issues although nobody said that it may.
    static Authority posing_as(Identity identity) { return Authority(std::move(identity)); }
    static Identity self_signed(const Subject& = {});
    /// What its file has to be called in a directory for Tls::ca_path.
    std::string file_name_in_directories() const;

private:
    explicit Authority(Identity identity) : Identity(std::move(identity)) {}
};

/// All that a broker with TLS takes, and a device that it lets in.
struct TestCertificates {
    Authority authority = Authority();
    Identity server = authority.issue({.for_names = "DNS:localhost,IP:127.0.0.1,IP:::1"});
    Identity device = authority.issue({.name = "device", .for_names = ""});

    Tls for_device() const;
    /// Wants a certificate of each client.
    BrokerTls for_broker() const;
    /// Writes ca.pem, server.pem, server.key, device.pem and device.key, the keys readable by their owner only.
    Result<Done> write_to(const std::string& directory) const;
};

} // namespace tortoise::testing
