#include "tls_arguments.hpp"
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <utility>

namespace cli {

using tortoise::Done;
using tortoise::Errc;
using tortoise::Error;
using tortoise::make_error;
using tortoise::Result;
using tortoise::Tls;
using tortoise::TlsVersion;
using tortoise::testing::BrokerTls;

namespace {

constexpr auto group = "TLS";
constexpr std::size_t longest_protocol = 255; // RFC 7301, 3.1

Error wrong(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

/// An empty word is most likely a script's variable without a value; it must not turn TLS off.
CLI::Validator some_text() {
    CLI::Validator check;
    check.operation([](std::string& text) { return text.empty() ? "needs a value that is not empty" : std::string(); });
    return check;
}

void add_text(CLI::App& app, const char* name, std::string& into, const char* text, const char* help) {
    app.add_option(name, into, help)->option_text(text)->group(group)->check(some_text());
}

void add_list(CLI::App& app, const char* name, std::vector<std::string>& into, const char* text, const char* help) {
    app.add_option(name, into, help)->option_text(text)->group(group)->allow_extra_args(false);
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The octets of a shared key, which no error shows.
std::optional<std::string> key_octets(std::string_view text) {
    if (text.empty() || text.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex(text[i]), low = hex(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

/// mosquitto's clients take the version as the oldest one allowed.
Result<TlsVersion> oldest_version(const std::string& text) {
    if (text.empty() || text == "tlsv1.2" || text == "1.2") return TlsVersion::v1_2;
    if (text == "tlsv1.3" || text == "1.3") return TlsVersion::v1_3;
    return wrong(fmt::format("--tls-version: the versions are tlsv1.2 and tlsv1.3, not '{}'", text));
}

Result<Done> check_alpn(const std::vector<std::string>& protocols) {
    for (const auto& p : protocols)
        if (p.empty() || p.size() > longest_protocol)
            return wrong(fmt::format("--tls-alpn: the name of a protocol has 1 to {} octets, not {}: '{}'",
                                     longest_protocol, p.size(), p));
    return Done{};
}

/// OpenSSL has lists of their own for TLS 1.2 and 1.3; the names tell which is which.
void sort_ciphers(std::string_view list, Tls& tls) {
    while (!list.empty()) {
        const auto end = list.find(':');
        const auto name = list.substr(0, end);
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
        auto& into = name.starts_with("TLS_") ? tls.cipher_suites : tls.ciphers;
        if (!into.empty()) into += ':';
        into += name;
    }
}

Result<Done> plan_psk(const TlsArguments& a, Tls& tls) {
    if (a.psk.empty() && a.psk_identity.empty()) return Done{};
    if (a.psk.empty()) return wrong("--psk-identity needs the key too: give --psk KEY");
    if (a.psk_identity.empty()) return wrong("--psk needs to know whose key it is: give --psk-identity NAME");
    if (!a.ca_file.empty() || !a.ca_path.empty() || a.system_store)
        return wrong("--psk is in place of certificates: leave out --cafile, --capath and --tls-use-os-certs");
    auto key = key_octets(a.psk);
    if (!key) return wrong("--psk: the key is written as hexadecimal digits, two for each octet");
    tls.psk_identity = a.psk_identity;
    tls.psk = *std::move(key);
    return Done{};
}

} // namespace

std::string_view TlsArguments::given() const noexcept {
    const std::pair<bool, std::string_view> all[] = {
        {!ca_file.empty(), "--cafile"},
        {!ca_path.empty(), "--capath"},
        {system_store, "--tls-use-os-certs"},
        {!certificate.empty(), "--cert"},
        {!key.empty(), "--key"},
        {passphrase.has_value(), "--keypass"},
        {insecure, "--insecure"},
        {!version.empty(), "--tls-version"},
        {!ciphers.empty(), "--ciphers"},
        {!alpn.empty(), "--tls-alpn"},
        {!psk.empty(), "--psk"},
        {!psk_identity.empty(), "--psk-identity"},
    };
    for (const auto& [is_given, name] : all)
        if (is_given) return name;
    return {};
}

void add_tls_options(CLI::App& app, TlsArguments& a) {
    const auto text = [&](const char* name, std::string& into, const char* what, const char* help) {
        add_text(app, name, into, what, help);
    };
    text("--cafile", a.ca_file, "FILE", "certificates of those who are trusted (the system's store)");
    text("--capath", a.ca_path, "DIRECTORY", "the same from a directory, prepared by 'openssl rehash'");
    app.add_flag("--tls-use-os-certs", a.system_store, "TLS with the system's store")->group(group);
    text("--cert", a.certificate, "FILE", "our certificate, its chain behind it; PEM or DER");
    text("--key", a.key, "FILE", "its key (in the file of --cert)");
    app.add_option("--keypass", a.passphrase, "passphrase of the key; never shown")
        ->option_text("PASSPHRASE")
        ->group(group);
    app.add_flag("--insecure", a.insecure, "do not check the broker's certificate; dangerous")->group(group);
    text("--tls-version", a.version, "VERSION", "the oldest version allowed: tlsv1.2 or tlsv1.3 (tlsv1.2)");
    text("--ciphers", a.ciphers, "LIST", "OpenSSL's list of ciphers; names that begin with TLS_ are for TLS 1.3");
    add_list(app, "--tls-alpn", a.alpn, "PROTOCOL", "offer a protocol by ALPN (repeatable)");
    text("--psk", a.psk, "KEY", "a shared key in place of certificates: hexadecimal; never shown");
    text("--psk-identity", a.psk_identity, "NAME", "whose key it is");
}

Result<Tls> plan_tls(const TlsArguments& a) {
    Tls tls{.verify = !a.insecure,
            .ca_file = a.ca_file,
            .ca_path = a.ca_path,
            .certificate_file = a.certificate,
            .key_file = a.key,
            .alpn = a.alpn};
    if (a.system_store && (!a.ca_file.empty() || !a.ca_path.empty()))
        return wrong("--tls-use-os-certs does not go with --cafile or --capath: give one of them");
    if (a.certificate.empty() && !a.key.empty()) return wrong("--key needs its certificate too: give --cert FILE");
    if (a.certificate.empty() && a.passphrase) return wrong("--keypass is for the key of a certificate: give --cert");
    if (a.passphrase) tls.key_passphrase = [passphrase = *a.passphrase] { return passphrase; };
    const auto version = oldest_version(a.version);
    if (!version) return version.error();
    tls.minimum = *version;
    if (auto done = check_alpn(a.alpn); !done) return done.error();
    if (auto done = plan_psk(a, tls); !done) return done.error();
    sort_ciphers(a.ciphers, tls);
    return tls;
}

// ---- The broker ----------------------------------------------------------------------------------------------------

void add_tls_options(CLI::App& app, BrokerTlsArguments& a) {
    add_text(app, "--cert", a.certificate, "FILE", "its certificate, the chain behind it; PEM or DER. TLS only, then");
    add_text(app, "--key", a.key, "FILE", "the key (in the file of --cert)");
    add_text(app, "--cafile", a.ca_file, "FILE", "who may issue the clients' certificates");
    app.add_flag("--require-certificate", a.require_certificate, "clients must show a certificate")->group(group);
    add_list(app, "--psk", a.psk, "NAME:KEY", "a client's shared key, hexadecimal (repeatable)");
    add_list(app, "--tls-alpn", a.alpn, "PROTOCOL", "speak this protocol, for ALPN (repeatable; any)");
    add_text(app, "--tls-version", a.version, "VERSION", "the oldest version allowed: tlsv1.2 or tlsv1.3 (tlsv1.2)");
}

Result<std::optional<BrokerTls>> plan_tls(const BrokerTlsArguments& a) {
    const bool wanted = !a.certificate.empty() || !a.psk.empty();
    if (!wanted) {
        const bool more = !a.key.empty() || !a.ca_file.empty() || a.require_certificate || !a.alpn.empty();
        if (more || !a.version.empty()) return wrong("TLS needs a certificate (--cert FILE) or shared keys (--psk)");
        return std::optional<BrokerTls>();
    }
    if (a.require_certificate && a.ca_file.empty())
        return wrong("--require-certificate needs to know who may issue them: give --cafile FILE");
    BrokerTls tls{.certificate_file = a.certificate,
                  .key_file = a.key,
                  .ca_file = a.ca_file,
                  .require_client_certificate = a.require_certificate,
                  .alpn = a.alpn};
    for (const auto& entry : a.psk) {
        const auto colon = entry.find(':');
        auto key = colon == std::string::npos ? std::nullopt : key_octets(std::string_view(entry).substr(colon + 1));
        if (!key || colon == 0) return wrong("--psk takes NAME:KEY, the key as hexadecimal digits");
        tls.psk[entry.substr(0, colon)] = *std::move(key);
    }
    const auto version = oldest_version(a.version);
    if (!version) return version.error();
    tls.minimum = *version;
    if (auto done = check_alpn(a.alpn); !done) return done.error();
    return std::optional<BrokerTls>(std::move(tls));
}

// ---- Words ---------------------------------------------------------------------------------------------------------

std::string in_words_of_the_command(std::string text) {
    constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"tls.ca_file", "--cafile"},
        {"tls.ca_path", "--capath"},
        {"tls.certificate_file", "--cert"},
        {"tls.key_file", "--key"},
        {"key_passphrase", "--keypass"},
        {"tls.ciphers", "--ciphers"},
        {"tls.cipher_suites", "--ciphers"},
        {"tls.psk_identity", "--psk-identity"},
        {"tls.psk", "--psk"},
        {"tls.verify = false", "--insecure"},
    };
    for (const auto& [ours, theirs] : names)
        for (auto at = text.find(ours); at != std::string::npos; at = text.find(ours, at + theirs.size()))
            text.replace(at, ours.size(), theirs);
    return text;
}

std::string tls_advice(const Error& e) {
    if (e.code == Errc::tls_expired) return "renew the broker's certificate, or set this machine's clock";
    if (e.code == Errc::tls_wrong_name) return "use a name that the certificate is for (-h)";
    if (e.code == Errc::tls_unknown_issuer) return "name who issued the broker's certificate with --cafile";
    if (e.code == Errc::tls_self_signed) return "if it is the right one, trust it with --cafile";
    if (e.code == Errc::tls_certificate_required) return "give --cert and --key";
    if (e.code == Errc::tls_certificate_refused) return "give a certificate that the broker accepts (--cert, --key)";
    if (e.code == Errc::tls_version_refused) return "see --tls-version";
    return "";
}

} // namespace cli
