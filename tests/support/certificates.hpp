#pragma once
/// Certificates made for a test, by OpenSSL: authorities and what they issue, all with keys on P-256.

#include <chrono>
#include <cstdio>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string>

namespace tortoise::test {

namespace detail {

template <auto release> struct Frees {
    template <class T> void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Frees<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Frees<&X509_free>>;

/// What a call writes to a BIO.
template <class Write> std::string written(Write write) {
    const std::unique_ptr<BIO, Frees<&BIO_free_all>> out(BIO_new(BIO_s_mem()));
    if (write(out.get()) != 1) throw std::runtime_error("OpenSSL does not write");
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

inline void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    if (!extension) throw std::runtime_error("no extension of '" + value + "'");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

} // namespace detail

/// What a certificate says.
struct Subject {
    std::string name = "broker";
    std::string for_names = "DNS:localhost,IP:127.0.0.1"; ///< empty: none
    std::chrono::hours from = std::chrono::hours(-24);    ///< seen from now
    std::chrono::hours until = std::chrono::hours(24);
    std::string purposes = {}; ///< e.g. "clientAuth"; empty: any
};

/// A certificate with its key.
class Identity {
public:
    std::string certificate() const {
        return detail::written([&](BIO* out) { return PEM_write_bio_X509(out, certificate_.get()); });
    }
    std::string certificate_der() const {
        return detail::written([&](BIO* out) { return i2d_X509_bio(out, certificate_.get()); });
    }
    std::string key(const std::string& passphrase = {}) const {
        const auto* cipher = passphrase.empty() ? nullptr : EVP_aes_128_cbc();
        return detail::written([&](BIO* out) {
            return PEM_write_bio_PKCS8PrivateKey(out, key_.get(), cipher, passphrase.data(),
                                                 static_cast<int>(passphrase.size()), nullptr, nullptr);
        });
    }
    std::string key_der(const std::string& passphrase = {}) const {
        const auto* cipher = passphrase.empty() ? nullptr : EVP_aes_128_cbc();
        return detail::written([&](BIO* out) {
            return i2d_PKCS8PrivateKey_bio(out, key_.get(), cipher, passphrase.data(),
                                           static_cast<int>(passphrase.size()), nullptr, nullptr);
        });
    }

protected:
    friend class Authority;
    /// Null: it signs itself.
    Identity(const Subject& subject, bool authority, const Identity* issuer)
        : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        static long serial = 1;
        auto* c = certificate_.get();
        auto* signer = issuer ? issuer->certificate_.get() : c;
        X509_set_version(c, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(c), std::chrono::seconds(subject.from).count());
        X509_gmtime_adj(X509_getm_notAfter(c), std::chrono::seconds(subject.until).count());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(subject.name.c_str()), -1, -1, 0);
        X509_set_issuer_name(c, X509_get_subject_name(signer));
        X509_set_pubkey(c, key_.get());
        detail::extend(c, signer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!authority && !subject.for_names.empty()) {
            detail::extend(c, signer, NID_subject_alt_name, subject.for_names);
        }
        if (!subject.purposes.empty()) detail::extend(c, signer, NID_ext_key_usage, subject.purposes);
        if (X509_sign(c, (issuer ? issuer->key_ : key_).get(), EVP_sha256()) == 0) {
            throw std::runtime_error("OpenSSL does not sign");
        }
    }

    detail::Key key_;
    detail::Certificate certificate_;
};

/// Issues certificates.
class Authority : public Identity {
public:
    explicit Authority(const std::string& name = "Test Authority") : Identity({.name = name}, true, nullptr) {}
    Identity issue(const Subject& subject = {}) const { return Identity(subject, false, this); }
    /// One that issues although nobody said that it may.
    static Authority posing_as(Identity identity) { return Authority(std::move(identity)); }
    static Identity self_signed(const Subject& subject = {}) { return Identity(subject, false, nullptr); }
    /// An authority that this one vouches for.
    Authority issue_authority(const std::string& name) const { return issue_authority(Subject{.name = name}); }
    Authority issue_authority(const Subject& subject) const { return Authority(Identity(subject, true, this)); }
    /// What its file has to be called where OpenSSL looks it up.
    std::string file_name_in_directories() const {
        char name[16];
        std::snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(certificate_.get()));
        return name;
    }

private:
    explicit Authority(Identity identity) : Identity(std::move(identity)) {}
};

} // namespace tortoise::test
