// Sessions with a store: what outlives them, and what happens if the store fails.
#include "jackalope/told.hpp"
#include "support/store_tools.hpp"

namespace jackalope::test {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

class Durable : public BothVersions {
protected:
    SessionOptions durable(const Store& store, const Told& told = Told()) const {
        auto o = options("door", told);
        o.work_list = DurableWorkList{.store = store, .bounds = {.messages = 1000}};
        return o;
    }
    ::test::Folder folder;
};

TEST_P(Durable, isAcceptedWhenItIsOnDisk) {
    broker.stop();
    auto o = options("door");
    o.store = folder / "door.db"; // a path is enough
    Session s(std::move(o));
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
        const auto d = s.publish("a", "x", at(qos));
        const auto accepted = d.accepted().wait(patience);
        EXPECT_TRUE(accepted) << accepted.error().describe();
        EXPECT_FALSE(d.done());
    }
}

TEST_P(Durable, whatWaitedIsSentByTheNextSessionInItsOrder) {
    Told told;
    auto listening = options("listener", told);
    listening.clean_session = false;
    listening.initial_topics = {{"n", QoS::exactly_once}};
    const Session listens(std::move(listening));
    ASSERT_TRUE(told.wait_for_filter("n"));
    broker.stop();
    std::vector<std::string> all;
    {
        Session s(durable(Store(folder / "door.db")));
        std::vector<tortoise::Delivery> sent;
        for (int i = 0; i < 50; ++i) {
            all.push_back(std::to_string(i));
            sent.push_back(s.publish("n", all.back(), at(QoS::exactly_once)));
        }
        for (const auto& d : sent) ASSERT_TRUE(d.accepted().wait(patience));
    }
    ASSERT_TRUE(broker.start());
    const Session again(durable(Store(folder / "door.db")));
    ASSERT_TRUE(told.wait_for_messages(50));
    EXPECT_THAT(told.notes().payloads(), ElementsAreArray(all));
}

TEST_P(Durable, whatWasInFlightArrivesOnceAndInOrder) {
    // The broker takes messages, and is cut off again and again before all its answers have come back; so is the
    // program.
    Told told;
    auto listening = options("listener", told);
    listening.clean_session = false;
    listening.initial_topics = {{"n", QoS::exactly_once}};
    const Session listens(std::move(listening));
    ASSERT_TRUE(told.wait_for_filter("n"));
    std::vector<std::string> all;
    for (int life = 0; life < 10; ++life) {
        Session s(durable(Store(folder / "door.db")));
        if (life % 2 != 0) {
            ASSERT_TRUE(s.online().wait(patience));
        }
        std::vector<tortoise::Delivery> sent;
        for (int i = 0; i < 40; ++i) {
            all.push_back(std::to_string(all.size()));
            sent.push_back(s.publish("n", all.back(), at(QoS::exactly_once)));
        }
        if (life % 3 == 0) broker.drop_connections();
        for (const auto& d : sent) {
            const auto accepted = d.accepted().wait(patience);
            ASSERT_TRUE(accepted) << accepted.error().describe();
        }
    }
    Session last(durable(Store(folder / "door.db")));
    ASSERT_TRUE(last.publish("n", "end", at(QoS::exactly_once)).wait(patience));
    all.push_back("end");
    ASSERT_TRUE(told.wait([](const Notes& n) { return !n.messages.empty() && n.messages.back().payload == "end"; }));
    EXPECT_THAT(told.notes().payloads(), ElementsAreArray(all));
}

TEST_P(Durable, whatExpiredWhileNobodyRanIsReportedAndNotSent) {
    broker.stop();
    {
        Session s(durable(Store(folder / "door.db")));
        const auto unlock = s.publish("doors/front", "unlock", at(QoS::at_least_once, 1ms));
        ASSERT_TRUE(s.publish("doors/front", "lock").accepted().wait(patience));
    }
    Told told;
    ASSERT_TRUE(broker.start());
    Session again(durable(Store(folder / "door.db"), told));
    ASSERT_TRUE(again.publish("x", "end").wait(patience));
    EXPECT_EQ(broker.statistics().publishes_received, 2u); // lock, end
}

TEST_P(Durable, aHandlerHearsWhatExpiredOfAnEarlierLife) {
    broker.stop();
    const auto memory = Store::memory();
    {
        Session s(durable(memory));
        ASSERT_TRUE(s.publish("doors/front", "unlock", at(QoS::at_least_once, 300ms)).accepted().wait(patience));
    }
    Told told;
    const Session again(durable(memory, told));
    ASSERT_TRUE(told.wait_for_errors(1));
    EXPECT_EQ(told.notes().errors[0].second.code, Errc::expired);
    EXPECT_EQ(told.notes().errors[0].first.payload, "unlock");
}

TEST_P(Durable, stoppingTellsEachOpenDeliveryAndKeepsItsMessage) {
    broker.stop();
    const auto memory = Store::memory();
    Told told;
    Session s(durable(memory, told));
    const auto d = s.publish("n", "1");
    ASSERT_TRUE(d.accepted().wait(patience));
    ASSERT_TRUE(s.stop().wait(patience));
    EXPECT_EQ(d.wait(patience).error().code, Errc::stopped);
    EXPECT_EQ(told.notes().errors.at(0).second.code, Errc::stopped);
    ASSERT_TRUE(broker.start());
    const Session again(durable(memory));
    while (broker.statistics().publishes_received < 1) std::this_thread::yield();
}

TEST_P(Durable, sessionsShareAStoreAndLockTheirNameInIt) {
    const Store store(folder / "all.db");
    Session door(durable(store));
    auto other = durable(store);
    other.client_id = "window";
    Session window(std::move(other));
    EXPECT_TRUE(door.publish("a", "1").wait(patience));
    EXPECT_TRUE(window.publish("a", "1").wait(patience));
    Session twice(durable(store));
    EXPECT_EQ(twice.error().code, Errc::store_locked);
    EXPECT_EQ(twice.publish("a").wait(patience).error().code, Errc::stopped);
}

TEST_P(Durable, aStoreThatCannotBeOpenedIsSaid) {
    auto o = options("door");
    o.store = folder / "no/such/folder/door.db";
    const Session s(std::move(o));
    EXPECT_EQ(s.error().code, Errc::store_failed) << s.error().describe();
}

/// Keeps until it is told to fail.
class Failing final : public tortoise::StoreAdaptor {
public:
    explicit Failing(std::shared_ptr<std::atomic<bool>> fails) : fails_(std::move(fails)) {}
    tortoise::Result<std::vector<tortoise::core::Record>> load(std::string_view) override {
        return std::vector<tortoise::core::Record>();
    }
    void release(std::string_view) override {}
    void write(std::string_view, std::vector<tortoise::core::RecordChange>, bool, OnKept kept) override {
        const auto error = make_error(Errc::store_failed, "no space left on device");
        kept(*fails_ ? &error : nullptr);
    }
    bool busy() const noexcept override { return false; }

private:
    const std::shared_ptr<std::atomic<bool>> fails_;
};

TEST_P(Durable, whenTheStoreFailsTheSessionEndsAndEachOpenDeliverySaysSo) {
    for (const bool online : {false, true}) {
        SCOPED_TRACE(online);
        if (!online) broker.stop();
        const auto fails = std::make_shared<std::atomic<bool>>(false);
        Told told;
        Session s(durable(Store(new Failing(fails)), told));
        std::vector<tortoise::Delivery> open;
        if (online) {
            ASSERT_TRUE(s.online().wait(patience));
        }
        for (int i = 0; i < 3 && !online; ++i) {
            open.push_back(s.publish("a", "x"));
            ASSERT_TRUE(open.back().accepted().wait(patience));
        }
        *fails = true;
        open.push_back(s.publish("a", "the last straw"));
        EXPECT_EQ(open.back().accepted().wait(patience).error().code, Errc::store_failed);
        for (const auto& d : open) EXPECT_EQ(d.wait(patience).error().code, Errc::store_failed);
        EXPECT_EQ(s.online().wait(patience).error().code, Errc::store_failed);
        EXPECT_EQ(s.error().code, Errc::store_failed);
        const auto later = s.publish("a").wait(patience);
        EXPECT_EQ(later.error().code, Errc::stopped);
        EXPECT_THAT(later.error().text, ::testing::HasSubstr("no space left"));
        ASSERT_TRUE(told.wait_for_errors(open.size()));
        EXPECT_EQ(told.notes().errors[0].second.code, Errc::store_failed);
        EXPECT_TRUE(told.wait([](const Notes& n) { return n.statuses.back().second.code == Errc::store_failed; }));
        if (!online) {
            ASSERT_TRUE(broker.start());
        }
    }
    EXPECT_EQ(broker.statistics().publishes_received, 0u); // nothing was sent that was not kept
}

JACKALOPE_BOTH_VERSIONS(Durable);

} // namespace
} // namespace jackalope::test
