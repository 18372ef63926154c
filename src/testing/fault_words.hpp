#pragma once
/// What a rule has to keep to make sense, in words or in code.

#include <tortoise/testing/faults.hpp>

namespace tortoise::testing {

/// The rule with what its action implies (refuse: packets to the broker, …). Errc::invalid_option.
Result<Fault> complete(Fault);
/// What a broker answers that refuses. Precondition: a CONNECT, PUBLISH, SUBSCRIBE or UNSUBSCRIBE.
core::Packet refusal(const core::Packet& request, Reason);

} // namespace tortoise::testing
