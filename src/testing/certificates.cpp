#include "io/issue.hpp"
#include <filesystem>
#include <fstream>
#include <tortoise/testing/certificates.hpp>

namespace tortoise::testing {

struct Identity::Made {
    io::Issued issued;

    static std::shared_ptr<const Made> by(const Subject& subject, bool authority, const Made* issuer) {
        return std::make_shared<const Made>(
            Made{io::issue({subject.name, subject.for_names, subject.from, subject.until, authority, subject.purposes},
                           issuer ? &issuer->issued : nullptr)});
    }
};

namespace {

namespace fs = std::filesystem;

Result<Done> write(const fs::path& path, const std::string& text, bool secret) {
    std::error_code code;
    // Of a key nobody else may ever read a part: it gets its permissions while it is empty.
    std::ofstream(path).close();
    if (secret) fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, code);
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (text.empty() || !out || code)
        return make_error(Errc::tls_configuration, "cannot write '" + path.string() + "'");
    return Done{};
}

} // namespace

std::string Identity::certificate() const {
    return made_->issued.certificate ? io::pem(*made_->issued.certificate) : std::string();
}
std::string Identity::certificate_der() const {
    return made_->issued.certificate ? io::der(*made_->issued.certificate) : std::string();
}
std::string Identity::key(const std::string& passphrase) const { return io::pem(*made_->issued.key, passphrase); }
std::string Identity::key_der(const std::string& passphrase) const { return io::der(*made_->issued.key, passphrase); }

Authority::Authority(const std::string& name) : Identity(Made::by({.name = name, .for_names = ""}, true, nullptr)) {}
Identity Authority::issue(const Subject& subject) const { return Identity(Made::by(subject, false, made_.get())); }
Authority Authority::issue_authority(const Subject& subject) const {
    auto without_names = subject;
    without_names.for_names.clear();
    return Authority(Identity(Made::by(without_names, true, made_.get())));
}
std::string Authority::file_name_in_directories() const {
    return made_->issued.certificate ? io::hashed_file_name(*made_->issued.certificate) : std::string();
}
Identity Authority::self_signed(const Subject& subject) { return Identity(Made::by(subject, false, nullptr)); }

Tls TestCertificates::for_device() const {
    Tls tls;
    tls.ca_certificates = {authority.certificate()};
    tls.certificate = device.certificate();
    tls.key = device.key();
    return tls;
}

BrokerTls TestCertificates::for_broker() const {
    BrokerTls tls;
    tls.certificate = server.certificate();
    tls.key = server.key();
    tls.ca_certificates = {authority.certificate()};
    tls.require_client_certificate = true;
    return tls;
}

Result<Done> TestCertificates::write_to(const std::string& directory) const {
    std::error_code code;
    fs::create_directories(directory, code);
    const fs::path in(directory);
    for (const auto& written :
         {write(in / "ca.pem", authority.certificate(), false), write(in / "server.pem", server.certificate(), false),
          write(in / "server.key", server.key(), true), write(in / "device.pem", device.certificate(), false),
          write(in / "device.key", device.key(), true)})
        if (!written) return written;
    return Done{};
}

} // namespace tortoise::testing
