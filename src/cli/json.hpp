#pragma once
// A message as JSON: in this command's own shape (--json), and in that of mosquitto_sub (%j and %J).

#include "format.hpp"
#include <optional>

namespace cli {

/// --json. What is not UTF-8 stands in base64 under a name that ends in `_base64`.
std::string message_json(const Arrival&, bool pretty);

enum class PayloadAs { text, json };

/// %j and %J. Octets that are not UTF-8 are replaced. Nothing if the payload should be JSON and is not.
std::optional<std::string> mosquitto_json(const Arrival&, PayloadAs, bool pretty);

/// strftime in local time.
std::string format_time(const std::timespec&, const char* format);

} // namespace cli
