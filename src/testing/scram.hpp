#pragma once
/// SCRAM-SHA-256 for the broker of the test kit.

#include <tortoise/testing/broker.hpp>

namespace tortoise::testing {

/// The options with their SCRAM users among the methods of authentication.
BrokerOptions with_scram(BrokerOptions);

} // namespace tortoise::testing
