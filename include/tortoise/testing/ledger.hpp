#pragma once
/// Books of what was sent and what arrived, which say whether anything was lost, came twice, or out of order.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>
#include <tortoise/types.hpp>

namespace tortoise::testing {

/// Messages have names of the test's choice, which a receiver can tell: a number in the payload, say. A message belongs to a
/// flow, whose order counts: the topic, or whatever has one publisher and one receiver.
///
///     QoS 0   arrives at most once
///     QoS 1   arrives if it was accepted, maybe more than once
///     QoS 2   arrives once if it was accepted, otherwise at most once
///     order   within a flow the first arrivals of each QoS keep the order in which the messages were sent
///
/// Every function may be called from any thread, and from callbacks, but for wait().
class Ledger {
public:
    /// `most_lines`: how many findings check() tells one by one.
    explicit Ledger(std::size_t most_lines = 20);
    ~Ledger();
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    /// It is about to be published.
    void sent(std::string_view name, QoS, std::string_view flow = {});
    /// Somebody took it over: its Delivery ended well, or a store has it.
    void accepted(std::string_view name);
    /// It arrived at its receiver.
    void received(std::string_view name);

    /// Blocks until everything accepted at QoS 1 and 2 has arrived; false after that time.
    bool wait(Duration at_most) const;
    /// Nothing lost, nothing twice, order kept; otherwise the error's text tells each finding in a line.
    Result<Done> check() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::testing
