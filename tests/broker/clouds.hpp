#pragma once
/// What tests of the broker in the guise of a cloud have in common.

#include "broker/world.hpp"

#include <gmock/gmock.h>

namespace broker_test {

inline BrokerOptions like(std::string profile) { return {.profile = std::move(profile)}; }

inline ConnectAs named(std::string_view user) { return {.user_name = user, .password = Octets("secret")}; }

inline std::vector<core::Subscribe::Entry> filters(const std::vector<std::string>& names, QoS qos = qos_0) {
    std::vector<core::Subscribe::Entry> entries;
    for (const auto& name : names) entries.push_back({name, {.qos = qos}});
    return entries;
}

inline std::vector<std::string> numbered(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back("f" + std::to_string(i));
    return names;
}

} // namespace broker_test
