#include "io/issue.hpp"

#include <cstdio>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace tortoise::io {

namespace {

using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Releases<&X509_EXTENSION_free>>;

/// What a call writes to a BIO; empty if it fails.
template <class Write> std::string written(Write write) {
    const BioHandle out(BIO_new(BIO_s_mem()));
    if (write(out.get()) != 1) return {};
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

bool extend(X509* certificate, X509* issuer, int what, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, what, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
    std::uint64_t number = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) != 1) return false;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1) == 1;
}

bool fill(X509* c, const Wanted& wanted, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
    const auto* name = reinterpret_cast<const unsigned char*>(wanted.name.c_str());
    return X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
           X509_gmtime_adj(X509_getm_notBefore(c), wanted.from.count()) &&
           X509_gmtime_adj(X509_getm_notAfter(c), wanted.until.count()) &&
           X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1 && X509_set_pubkey(c, key) == 1 &&
           extend(c, issuer, NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           (wanted.for_names.empty() || extend(c, issuer, NID_subject_alt_name, wanted.for_names.c_str())) &&
           (wanted.purposes.empty() || extend(c, issuer, NID_ext_key_usage, wanted.purposes.c_str())) &&
           X509_sign(c, issuer_key, EVP_sha256()) > 0;
}

const EVP_CIPHER* cipher_for(const std::string& passphrase) { return passphrase.empty() ? nullptr : EVP_aes_128_cbc(); }

} // namespace

Issued issue(const Wanted& wanted, const Issued* issuer) {
    Issued made{KeyHandle(EVP_EC_gen("P-256")), CertificateHandle(X509_new())};
    if (issuer && !issuer->certificate) return {std::move(made.key), nullptr};
    auto* const c = made.certificate.get();
    auto* const key = made.key.get();
    const bool good =
        key && c && fill(c, wanted, key, issuer ? issuer->certificate.get() : c, issuer ? issuer->key.get() : key);
    ERR_clear_error();
    if (!good) made.certificate.reset();
    return made;
}

std::string hashed_file_name(const X509& certificate) {
    char name[24];
    std::snprintf(name, sizeof name, "%08lx.0",
                  X509_NAME_hash_ex(X509_get_subject_name(&certificate), nullptr, nullptr, nullptr));
    return name;
}

std::string pem(const X509& certificate) {
    return written([&](BIO* out) { return PEM_write_bio_X509(out, &certificate); });
}

std::string der(const X509& certificate) {
    return written([&](BIO* out) { return i2d_X509_bio(out, &certificate); });
}

std::string pem(const EVP_PKEY& key, const std::string& passphrase) {
    return written([&](BIO* out) {
        return PEM_write_bio_PKCS8PrivateKey(out, &key, cipher_for(passphrase), passphrase.data(),
                                             static_cast<int>(passphrase.size()), nullptr, nullptr);
    });
}

std::string der(const EVP_PKEY& key, const std::string& passphrase) {
    return written([&](BIO* out) {
        return i2d_PKCS8PrivateKey_bio(out, &key, cipher_for(passphrase), passphrase.data(),
                                       static_cast<int>(passphrase.size()), nullptr, nullptr);
    });
}

} // namespace tortoise::io
