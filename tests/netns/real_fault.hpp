#pragma once
/// Durable programs of every kind, a broker, the cable between them, and what has to hold when any of it fails.

#include "netns/senders.hpp"

namespace tortoise {

inline const std::vector<QoS> both = {QoS::at_least_once, QoS::exactly_once};

class RealFault : public ::testing::Test {
protected:
    /// By a Connection and by a Session, in both versions.
    void start_senders(const std::vector<QoS>& all_qos) {
        for (const bool session : {false, true})
            for (const Version version : {Version::v3_1_1, Version::v5})
                for (const QoS qos : all_qos)
                    senders.push_back(
                        std::make_unique<Sender>(network, broker.url(), directory.path(), Case{version, qos, session}));
    }
    void ask_for(long numbers) {
        for (const auto& sender : senders) sender->ask_for(numbers);
    }
    /// In the middle of sending.
    void begin_to_send() {
        ask_for(300);
        for (const auto& sender : senders) ASSERT_TRUE(sender->accepted(50)) << sender->name();
    }
    void expect_that_they_notice_and_go_on_accepting() {
        ask_for(300);
        for (const auto& sender : senders) {
            EXPECT_TRUE(sender->is_down()) << sender->name();
            EXPECT_TRUE(sender->accepted(350)) << sender->name(); // 400 of them may be open
        }
    }
    void expect_that_all_of_it_arrives() {
        ask_for(100);
        for (const auto& sender : senders) {
            ASSERT_TRUE(sender->accepted(sender->last())) << sender->name();
            expect_that_it_arrives(*sender, sender->all_accepted());
        }
    }
    void expect_that_it_arrives(const Sender& sender, const std::set<long>& accepted) {
        EXPECT_TRUE(witness.wait_for(sender.topic(), accepted)) << sender.name() << ": something was lost";
        const auto came = look_at(witness.received(sender.topic()));
        EXPECT_EQ(came.disordered, 0u) << sender.name();
        if (sender.kind().qos == QoS::exactly_once) {
            EXPECT_EQ(came.repeated, 0u) << sender.name();
        }
        RecordProperty(sender.name() + "_repeated", static_cast<int>(came.repeated));
    }

    Network network;
    DistantMosquitto broker{network};
    test::TemporaryDirectory directory;
    Witness witness{broker.local_url()};
    std::vector<std::unique_ptr<Sender>> senders;
};

} // namespace tortoise
