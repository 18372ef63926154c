#pragma once
/// What a script expects of the next packet.

#include <optional>
#include <string>
#include <tortoise/testing/script.hpp>

namespace tortoise::testing {

struct Expectation {
    std::string text; // for people
    /// Nothing if the packet is as expected; otherwise what is wrong, as far as that does not show when both are
    /// printed.
    Fn<std::optional<std::string>(const core::Packet&)> fault;
};

Expectation expect_exactly(const core::Packet&, bool show_payloads);
Expectation expect_type(core::PacketType);
Expectation expect_anything();
Expectation expect_fields(ConnectFields);
Expectation expect_fields(PublishFields, bool show_payloads);
Expectation expect_filters(std::vector<std::string>);
Expectation expect_match(std::string what, Fn<bool(const core::Packet&)> holds);

} // namespace tortoise::testing
