#pragma once
/// Octets that break a rule of the codec, a row each: what decode says to them, and how a connection on which they
/// arrive ends.

#include <span>
#include <string>
#include <tortoise/error.hpp>
#include <tortoise/types.hpp>

#include "core/codec/octets.hpp"

namespace tortoise::core {

enum class RowVersions { v3, v5, both };

struct ViolationRow {
    const char* what;
    RowVersions versions;
    const char* first;
    const char* body;
    Reason reason;
    const char* rule5;      // the statement of MQTT 5 as a tag, "" if there is none
    const char* rule3 = ""; // … in 3.1.1

    bool in(Version version) const { return versions != (version == Version::v5 ? RowVersions::v3 : RowVersions::v5); }
    std::string octets(Version version) const {
        std::string there = body;
        for (auto at = there.find('~'); at != std::string::npos; at = there.find('~'))
            there.replace(at, 1, version == Version::v5 ? "00" : "");
        return packet_octets(first, there);
    }
};

std::span<const ViolationRow> violation_rows();

} // namespace tortoise::core
