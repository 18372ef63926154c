// The driver between an engine and its store: what leaves, and when.
#include "io/driver.hpp"
#include "io/with_loop.hpp"
#include <algorithm>
#include <gtest/gtest.h>
#include <tortoise/core/codec.hpp>

namespace tortoise::io {
namespace {

/// A transport in memory; of the loop's thread. It shows what was written, and gives what the test puts in.
struct Wire {
    std::string written, incoming;
    TransportEvents events;
};

class InMemory final : public Transport {
public:
    explicit InMemory(Wire& wire) : wire_(wire) {}
    void open(std::string_view, TransportEvents events) override {
        wire_.events = events;
        events.opened();
    }
    Moved read(std::span<char> into) override {
        const auto size = std::min(into.size(), wire_.incoming.size());
        std::copy_n(wire_.incoming.begin(), size, into.begin());
        wire_.incoming.erase(0, size);
        return {size};
    }
    Moved write(Octets octets) override {
        wire_.written += octets;
        return {octets.size()};
    }
    void close() noexcept override { wire_.events = {}; }

private:
    Wire& wire_;
};

/// Keeps what it is given when the test says so; of the loop's thread.
class LazyStore final : public StoreAdaptor {
public:
    Result<std::vector<core::Record>> load(std::string_view) override { return std::vector<core::Record>(); }
    void release(std::string_view) override {}
    void write(std::string_view, std::vector<core::RecordChange>, bool, OnKept on_kept) override {
        waiting_.push_back(std::move(on_kept));
    }
    bool busy() const noexcept override { return false; }

    void keep() {
        for (auto& on_kept : std::exchange(waiting_, {})) on_kept(nullptr);
    }

private:
    std::vector<OnKept> waiting_;
};

class DriverWithStore : public ::testing::Test, public Driver::Listener {
protected:
    DriverWithStore() {
        in_turn([this] {
            const core::EngineOptions options{.client_id = "c", .session = {.clean_start = false}, .persistent = true};
            driver_.emplace(loop_, loops_->resolver(), core::Engine(options, 1),
                            std::vector{custom_url("memory://wire")},
                            Means{.transport = [this] { return new InMemory(wire_); }}, *this,
                            Keeping{.store = &store_, .session = "c"});
            driver_->engine().start(Loop::now());
        });
        arrives(core::Connack{});
        keep();
        in_turn([this] { wire_.written.clear(); });
    }
    ~DriverWithStore() override {
        test::on(loop_, [this] { driver_.reset(); });
    }

    /// Does it on the loop, and what follows from it.
    template <class Job> void in_turn(Job job) {
        test::on(loop_, [&] {
            job();
            driver_->drain();
        });
        for (int i = 0; i < 10; ++i) test::on(loop_, [] {}); // each step posts the next one
    }
    void arrives(const core::Packet& packet) {
        in_turn([&] {
            ASSERT_TRUE(core::encode(Version::v5, packet, wire_.incoming));
            wire_.events.readable();
        });
    }
    void keep() {
        in_turn([this] { store_.keep(); });
    }
    void publish(std::string_view topic, QoS qos) {
        in_turn([&] { driver_->engine().publish(Loop::now(), {.topic = topic, .qos = qos}); });
    }
    /// The types of the packets that were written since the last time.
    std::vector<core::PacketType> written() {
        std::vector<core::PacketType> types;
        test::on(loop_, [&] {
            core::FrameReader reader(core::largest_packet);
            reader.feed(wire_.written);
            for (auto frame = reader.next(); frame && *frame; frame = reader.next()) types.push_back((*frame)->type());
            wire_.written.clear();
        });
        return types;
    }

private:
    void before_open(std::size_t) override { driver_->open(); }
    void handle(core::Event& event) override {
        const auto* received = std::get_if<core::Received>(&event);
        if (received) driver_->engine().acknowledge(Loop::now(), received->id);
    }
    void unblocked() override {}
    void drained() override {}
    void kept() override {}

    const detail::Ref<Loops> loops_ = Loops::make(1);
    Loop& loop_ = loops_->next();
    Wire wire_;
    LazyStore store_;
    std::optional<Driver> driver_;
};

using Types = std::vector<core::PacketType>;
using core::PacketType;

TEST_F(DriverWithStore, PublishesWhatTheStoreHasKept) {
    publish("a", QoS::at_least_once);
    EXPECT_EQ(written(), Types{});
    keep();
    EXPECT_EQ(written(), Types{PacketType::publish});
}

TEST_F(DriverWithStore, SaysThatItHasAMessageWhenTheStoreKnows) {
    arrives(core::Publish{.id = 1, .topic = "a", .qos = QoS::exactly_once});
    EXPECT_EQ(written(), Types{});
    keep();
    EXPECT_EQ(written(), Types{PacketType::pubrec});
}

TEST_F(DriverWithStore, HoldsBackWhatStandsBehindAndNothingElse) {
    publish("a", QoS::at_most_once);
    EXPECT_EQ(written(), Types{PacketType::publish});
    publish("b", QoS::at_least_once);
    publish("c", QoS::at_most_once);
    EXPECT_EQ(written(), Types{});
    keep();
    EXPECT_EQ(written(), (Types{PacketType::publish, PacketType::publish}));
}

} // namespace
} // namespace tortoise::io
