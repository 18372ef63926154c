// Its test: what does everybody see of the lamp after its connection broke?
#include "lamp.hpp"
#include <gtest/gtest.h>
#include <tortoise/testing/broker.hpp>

using namespace std::chrono_literals;
using namespace tortoise::testing;

namespace {

template <class Behaviour> std::string state_after_a_break() {
    Faults faults{"reset PUBLISH on=lamps/hall/level nth=2"};
    Capture capture;
    Broker broker({.faults = faults, .capture = capture});
    auto hall = lamp<Behaviour>(broker.url());
    for (const auto* percent : {"0", "50", "100"}) EXPECT_TRUE(set_level(hall, percent).wait(10s)) << capture.text();
    EXPECT_EQ(faults.applied(), 1u) << faults.report();

    tortoise::Connection visitor({.server = broker.url()});
    tortoise::Stream states(visitor, {{"lamps/+/state", tortoise::QoS::at_least_once}});
    const auto state = states.next(10s);
    return state ? state->payload : state.error().describe();
}

TEST(Lamp, IsSeenAfterItsConnectionBroke) { EXPECT_EQ(state_after_a_break<CarefulLamp>(), "online"); }

// The same test finds the lamp that forgot. In a project of your own it would be red, and say: "offline".
TEST(Lamp, ThatForgotIsCaught) { EXPECT_EQ(state_after_a_break<ForgetfulLamp>(), "offline"); }

} // namespace
