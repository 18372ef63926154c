// What happens to networks and brokers, to real ones: durable programs of every kind send over a cable that is pulled,
// to a broker that is killed, …: what they were told is accepted arrives, at QoS 2 once, and in its order.
#include "netns/real_fault.hpp"

#include <thread>

namespace tortoise {
namespace {

/// How long a fault lasts: 30 s, or as TORTOISE_NETNS_SECONDS says.
std::chrono::seconds its_time() {
    const char* text = std::getenv("TORTOISE_NETNS_SECONDS");
    return std::chrono::seconds(text && *text ? std::atoi(text) : 30);
}

/// The time is the fault's own, nothing is awaited by it.
void let_it_last() { std::this_thread::sleep_for(its_time()); }

TEST_F(RealFault, ACableIsPulledAndPutBack) {
    start_senders(both);
    begin_to_send();
    network.cut();
    expect_that_they_notice_and_go_on_accepting();
    let_it_last();
    for (const auto& sender : senders) EXPECT_LT(witness.received(sender->topic()).size(), 600u);
    network.mend();
    expect_that_all_of_it_arrives();
}

TEST_F(RealFault, TheClientsAddressChanges) {
    start_senders(both);
    begin_to_send();
    network.move_client("10.0.0.3");
    expect_that_they_notice_and_go_on_accepting();
    EXPECT_TRUE(broker.says("New client connected from 10.0.0.3"));
    expect_that_all_of_it_arrives();
}

// The broker hears everything, and its answers do not come back: it gets again what it had.
TEST_F(RealFault, NothingComesInAnyMore) {
    start_senders(both);
    begin_to_send();
    network.block("input");
    expect_that_they_notice_and_go_on_accepting();
    let_it_last();
    network.unblock();
    expect_that_all_of_it_arrives();
}

TEST_F(RealFault, NothingGoesOutAnyMore) {
    start_senders(both);
    begin_to_send();
    network.block("output");
    expect_that_they_notice_and_go_on_accepting();
    let_it_last();
    network.unblock();
    expect_that_all_of_it_arrives();
}

// Its kernel goes on taking connections and octets for it.
TEST_F(RealFault, TheBrokerIsStoppedAndGoesOn) {
    start_senders(both);
    begin_to_send();
    broker.halt();
    expect_that_they_notice_and_go_on_accepting();
    let_it_last();
    broker.go_on();
    expect_that_all_of_it_arrives();
}

// It hands a message of QoS 1 on before it acknowledges it, so that it loses none that it acknowledged.
TEST_F(RealFault, TheBrokerIsKilled) {
    start_senders({QoS::at_least_once});
    broker.save();
    for (int times = 0; times < 3; ++times) {
        const long before = senders.front()->last();
        ask_for(300);
        for (const auto& sender : senders) ASSERT_TRUE(sender->delivered(before + 50)) << sender->name();
        broker.kill();
        broker.start();
    }
    expect_that_all_of_it_arrives();
    for (const auto& sender : senders) EXPECT_TRUE(sender->is_down()) << sender->name();
}

// What it acknowledged by PUBREC and forgot then, nobody could deliver exactly once: it stands still before it is
// killed.
TEST_F(RealFault, TheBrokerIsKilledWithMessagesOfQos2InFlight) {
    start_senders({QoS::exactly_once});
    broker.save();
    for (int times = 0; times < 3; ++times) {
        ask_for(100);
        for (const auto& sender : senders) ASSERT_TRUE(sender->delivered(sender->last())) << sender->name();
        broker.halt();
        ask_for(100);
        for (const auto& sender : senders) ASSERT_TRUE(sender->accepted(sender->last())) << sender->name();
        broker.kill();
        broker.start();
    }
    expect_that_all_of_it_arrives();
    for (const auto& sender : senders) EXPECT_TRUE(sender->is_down()) << sender->name();
}

} // namespace
} // namespace tortoise
