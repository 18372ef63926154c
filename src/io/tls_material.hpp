#pragma once
/// Certificates and keys: PEM or DER, from files or memory. Errors are Errc::tls_configuration and name their source.

#include "io/tls_handles.hpp"
#include <string>
#include <tortoise/fn.hpp>
#include <tortoise/result.hpp>
#include <vector>

namespace tortoise::io {

Error tls_configuration(std::string text);

/// Some octets, and what to call them in an error.
struct Material {
    std::string octets;
    std::string name;
};

/// The file, or what is in memory; nothing if neither is given.
Result<Material> material(const std::string& file, const std::string& in_memory, const char* option);

/// All that are there, at least one.
Result<std::vector<CertificateHandle>> certificates_in(const Material&);
/// The passphrase is asked for if the key is encrypted.
Result<KeyHandle> key_in(const Material&, const SharedFn<std::string()>& passphrase);

/// "'CN=broker, O=Example'"
std::string subject_of(const X509&);

} // namespace tortoise::io
