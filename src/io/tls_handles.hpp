#pragma once
/// Owners of OpenSSL's objects.

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace tortoise::io {

template <auto release> struct Releases {
    template <class T> void operator()(T* object) const noexcept { release(object); }
};

using BioHandle = std::unique_ptr<BIO, Releases<&BIO_free_all>>;
using BioMethodHandle = std::unique_ptr<BIO_METHOD, Releases<&BIO_meth_free>>;
using CertificateHandle = std::unique_ptr<X509, Releases<&X509_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Releases<&EVP_PKEY_free>>;
using SessionHandle = std::unique_ptr<SSL_SESSION, Releases<&SSL_SESSION_free>>;
using SslHandle = std::unique_ptr<SSL, Releases<&SSL_free>>;
using SslContextHandle = std::unique_ptr<SSL_CTX, Releases<&SSL_CTX_free>>;

} // namespace tortoise::io
