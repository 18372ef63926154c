// A program that receives at QoS 2, and whose store remembers what it handled, dies after every single write, with what
// was sent then on its way or not: the next one is not handed again what was kept, and is handed all the rest.
#include "sim/killer.hpp"

#include <deque>

namespace tortoise::sim {
namespace {

class ReceiverPlay {
public:
    ReceiverPlay(Version version, Fate fate) : fate_(fate) {
        sender_ = s_.add(Scenario::plain("sender", version));
        auto options = Scenario::plain("receiver", version);
        options.persistent = true;
        plan_ = {.engine = options, .disk_takes = 3ms};
        receiver_ = s_.world.add_client(plan_);
        s_.world.start(receiver_);
        s_.world.run_for(100ms);
        s_.world.prompt = true;
        wants();
        s_.world.run_for(1s);
        s_.world.on_event = [this](std::uint32_t client, const core::Event& event) {
            const auto* received = std::get_if<core::Received>(&event);
            if (client == receiver_ && received) handles(received->message);
        };
    }

    /// False if there are not so many writes.
    bool run(std::initializer_list<QoS> messages) {
        const bool reached = die_while_receiving(messages);
        // And none of what comes later is taken for something that was there before.
        handled_.clear();
        kept_.clear();
        const auto later = publish(messages);
        s_.world.run_for(20s);
        s_.world.check_settled();
        expect_handled(later, 1);
        return reached;
    }

private:
    bool die_while_receiving(std::initializer_list<QoS> messages) {
        const auto count = publish(messages);
        Killer killer(s_.world, receiver_, plan_, fate_);
        killer.on_write = [this] { look_what_is_kept(); };
        killer.on_restart = [this] {
            open_.clear();
            wants();
        };
        s_.world.run_for(20s);
        if (fate_.keep_session || !killer.reached()) expect_handled(count, killer.reached() ? 2 : 1);
        return killer.reached();
    }
    void wants() { s_.world.subscribe(receiver_, {{"a", QoS::exactly_once}}); }
    std::size_t publish(std::initializer_list<QoS> messages) {
        for (const QoS qos : messages) s_.world.publish(sender_, {.topic = "a", .qos = qos});
        return messages.size();
    }
    void handles(const MessageView& message) {
        const std::string payload(message.payload);
        ++handled_[payload];
        if (message.qos != QoS::exactly_once) return;
        EXPECT_FALSE(kept_.contains(payload)) << "handled again"; // [MQTT-4.3.3-10]
        open_.push_back(payload);
    }
    /// Identifiers that are new in the store belong to what was handled, in that order.
    void look_what_is_kept() {
        std::set<std::uint64_t> ids;
        for (const auto& record : s_.world.kept(receiver_)) {
            if (record.kind != core::RecordKind::inbound) continue;
            ids.insert(record.key);
            if (ids_.contains(record.key)) continue;
            ASSERT_FALSE(open_.empty());
            kept_.insert(open_.front());
            open_.pop_front();
        }
        ids_ = std::move(ids);
    }
    void expect_handled(std::size_t count, unsigned at_most) const {
        EXPECT_EQ(handled_.size(), count);
        for (const auto& [payload, times] : handled_) EXPECT_LE(times, at_most);
    }

    Fate fate_;
    Scenario s_;
    ClientPlan plan_;
    std::uint32_t sender_ = 0, receiver_ = 0;
    std::map<std::string, unsigned> handled_; // by payload: how often
    std::set<std::string> kept_;              // of QoS 2, on disk
    std::deque<std::string> open_;            // of QoS 2, in this life: handled, and not on disk
    std::set<std::uint64_t> ids_;             // on disk
};

class EveryWriteOfAReceiver : public ::testing::TestWithParam<Version> {
protected:
    static void cut_everywhere(std::initializer_list<QoS> messages, bool keep_session = true) {
        for (const Death death : all_deaths) {
            std::uint64_t write = 0;
            for (bool reached = true; reached; ++write) {
                SCOPED_TRACE("after write " + std::to_string(write) + ", death " +
                             std::to_string(static_cast<int>(death)));
                reached = ReceiverPlay(GetParam(), {write, death, keep_session}).run(messages);
            }
            EXPECT_GE(write, 3u); // one that it was handled, one that it was released
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, EveryWriteOfAReceiver, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& version) { return version.param == Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(EveryWriteOfAReceiver, OfOneMessage) { cut_everywhere({QoS::exactly_once}); }
TEST_P(EveryWriteOfAReceiver, OfAnotherSession) { cut_everywhere({QoS::exactly_once, QoS::exactly_once}, false); }
TEST_P(EveryWriteOfAReceiver, OfSeveralMessages) {
    cut_everywhere({QoS::exactly_once, QoS::at_least_once, QoS::exactly_once, QoS::exactly_once});
}

} // namespace
} // namespace tortoise::sim
