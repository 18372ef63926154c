#include "io/tls_material.hpp"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <optional>
#include <sstream>

namespace tortoise::io {

namespace {

bool is_pem(const std::string& octets) { return octets.find("-----BEGIN ") != std::string::npos; }

BioHandle reading(const std::string& octets) {
    return BioHandle(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

Result<std::string> contents(const std::string& file, const std::string& option) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    if (in) out << in.rdbuf();
    if (!in || in.bad() || out.str().empty()) {
        const std::string why = errno ? std::strerror(errno) : "it is empty";
        return tls_configuration(option + ": cannot read '" + file + "': " + why);
    }
    return std::move(out).str();
}

/// What OpenSSL asks when a key turns out to be encrypted.
struct Asking {
    const SharedFn<std::string()>& passphrase;
    bool asked = false;
    std::optional<std::string> threw = {}; ///< what it said, if it did: nothing may fly through OpenSSL

    static int answer(char* into, int room, int, void* self) {
        auto& asking = *static_cast<Asking*>(self);
        asking.asked = true;
        if (!asking.passphrase) return -1;
        const auto phrase = asking.ask();
        if (phrase.size() > static_cast<std::size_t>(room)) return -1;
        std::memcpy(into, phrase.data(), phrase.size());
        return static_cast<int>(phrase.size());
    }

    std::string ask() {
        try {
            return passphrase();
        } catch (const std::exception& e) {
            threw = e.what();
        } catch (...) {
            threw = "something that is not a std::exception";
        }
        return {};
    }
};

KeyHandle read_key(const std::string& octets, Asking& asking) {
    if (is_pem(octets)) {
        return KeyHandle(PEM_read_bio_PrivateKey(reading(octets).get(), nullptr, &Asking::answer, &asking));
    }
    if (auto* key = d2i_PrivateKey_bio(reading(octets).get(), nullptr)) return KeyHandle(key);
    return KeyHandle(d2i_PKCS8PrivateKey_bio(reading(octets).get(), nullptr, &Asking::answer, &asking));
}

} // namespace

Error tls_configuration(std::string text) { return make_error(Errc::tls_configuration, std::move(text)); }

Result<Material> material(const std::string& file, const std::string& in_memory, const char* option) {
    if (file.empty()) return Material{in_memory, option};
    if (!in_memory.empty()) {
        return tls_configuration(std::string(option) + " and " + option + "_file are both given; allowed: one of them");
    }
    const auto name = std::string(option) + "_file";
    auto octets = contents(file, name);
    if (!octets) return octets.error();
    return Material{std::move(*octets), name + " '" + file + "'"};
}

Result<std::vector<CertificateHandle>> certificates_in(const Material& m) {
    std::vector<CertificateHandle> found;
    ERR_clear_error();
    const auto in = reading(m.octets);
    if (is_pem(m.octets)) {
        while (auto* certificate = PEM_read_bio_X509_AUX(
                   in.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr)) {
            found.emplace_back(certificate);
        }
        // What ends it well is that no further one begins; anything else is a damaged one.
        const auto error = ERR_peek_last_error();
        if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) found.clear();
    } else {
        while (auto* certificate = d2i_X509_bio(in.get(), nullptr)) found.emplace_back(certificate);
    }
    ERR_clear_error();
    if (found.empty()) return tls_configuration(m.name + " holds no certificate, or a damaged one");
    return found;
}

Result<KeyHandle> key_in(const Material& m, const SharedFn<std::string()>& passphrase) {
    Asking asking{passphrase};
    auto key = read_key(m.octets, asking);
    ERR_clear_error();
    if (asking.threw) return tls_configuration("key_passphrase threw: " + *asking.threw);
    if (key) return key;
    if (asking.asked && !passphrase) {
        return tls_configuration("the key in " + m.name + " is encrypted, and there is no key_passphrase");
    }
    if (asking.asked) return tls_configuration("the key in " + m.name + " cannot be decrypted with the passphrase");
    return tls_configuration(m.name + " holds no private key, or a damaged one");
}

std::string subject_of(const X509& certificate) {
    const BioHandle out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    if (size <= 0) return "a certificate without a subject";
    return "'" + std::string(text, static_cast<std::size_t>(size)) + "'";
}

} // namespace tortoise::io
