// Transports of a user's own: pipes in memory, whose other end is the broker engine or somebody who misbehaves.
#include "support/options.hpp"
#include <cstring>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace tortoise {
namespace {

using namespace std::chrono_literals;
using test::patience;
using test::Recorder;
using ::testing::HasSubstr;

/// Says CONNACK (MQTT 3.1.1) to the first write, from a thread of its own.
class Pipe : public Transport {
public:
    struct Counts {
        std::mutex mutex;
        int made = 0, closed = 0, destroyed = 0;
        std::string opened;
        TransportEvents last;
    };
    explicit Pipe(std::shared_ptr<Counts> c) : counts_(std::move(c)) { count(&Counts::made); }
    ~Pipe() override {
        if (thread_.joinable()) thread_.join();
        count(&Counts::destroyed);
    }
    void open(std::string_view server, TransportEvents events) override {
        {
            std::lock_guard lock(counts_->mutex);
            counts_->opened = server;
            counts_->last = events;
        }
        events_ = std::move(events);
        events_.opened();
    }
    Moved read(std::span<char> into) override {
        std::lock_guard lock(mutex_);
        if (arrived_.empty()) return {.ended = ended_};
        const auto size = std::min<std::size_t>({into.size(), arrived_.size(), 1}); // one at a time
        std::memcpy(into.data(), arrived_.data(), size);
        arrived_.erase(0, size);
        return {.octets = size};
    }
    Moved write(Octets octets) override {
        if (!thread_.joinable()) {
            thread_ = std::thread([this] {
                {
                    std::lock_guard lock(mutex_);
                    arrived_ = std::string("\x20\x02\x00\x00", 4);
                }
                events_.readable();
            });
        } else if (!refused_) {
            refused_ = true; // once
            events_.writable();
            return {};
        }
        return {.octets = std::min<std::size_t>(octets.size(), 3)};
    }
    void close() noexcept override { count(&Counts::closed); }

private:
    void count(int Counts::*what) {
        std::lock_guard lock(counts_->mutex);
        ++((*counts_).*what);
    }
    std::shared_ptr<Counts> counts_;
    TransportEvents events_;
    std::mutex mutex_;
    std::string arrived_;
    std::thread thread_;
    bool ended_ = false, refused_ = false;
};

TEST(CustomTransport, CarriesAConnection) {
    const auto counts = std::make_shared<Pipe::Counts>();
    {
        Connection c({.server = "pipe:anything at all",
                      .transport = [counts] { return new Pipe(counts); },
                      .version = Version::v3_1_1});
        EXPECT_TRUE(c.wait_until_up(patience)) << c.error().describe();
        EXPECT_TRUE(c.publish("a", "x").wait(patience));
        EXPECT_TRUE(c.stop(1s).wait(patience));
    }
    EXPECT_EQ(counts->opened, "pipe:anything at all");
    EXPECT_EQ(counts->made, 1);
    EXPECT_EQ(counts->closed, 1);
    EXPECT_EQ(counts->destroyed, 1);
    counts->last.readable(); // to nobody
    counts->last.failed({});
}

/// Does one thing.
struct Odd : Transport {
    explicit Odd(std::function<void(TransportEvents&)> f) : opening(std::move(f)) {}
    void open(std::string_view, TransportEvents events) override { opening(events); }
    Moved read(std::span<char>) override { return {.ended = true}; }
    Moved write(Octets octets) override { return {.octets = octets.size()}; }
    void close() noexcept override {}
    std::function<void(TransportEvents&)> opening;
};

Error failure_of(std::function<Transport*()> make) {
    Recorder recorder;
    Connection c({.server = "odd://one", .transport = std::move(make), .handler = recorder.factory()});
    EXPECT_TRUE(
        recorder.wait([](const test::Seen& s) { return s.count(Status::down) + s.count(Status::stopped) > 0; }));
    return recorder.seen().statuses.back().reason;
}

TEST(CustomTransport, ThatCannotBeOpenedIsAFailedAttempt) {
    const auto error = failure_of([] {
        return new Odd([](TransportEvents& e) { e.failed(make_error(Errc::connection_lost, "the line is cut")); });
    });
    EXPECT_EQ(error.code, Errc::connection_lost);
    EXPECT_THAT(error.text, HasSubstr("the line is cut"));
}

TEST(CustomTransport, ThatEndsIsALostConnection) {
    const auto error = failure_of([] { return new Odd([](TransportEvents& e) { e.opened(); }); });
    EXPECT_EQ(error.code, Errc::connection_lost);
    EXPECT_THAT(error.text, HasSubstr("odd://one closed the connection"));
}

TEST(CustomTransport, ThatThrowsEndsTheConnection) {
    const auto error =
        failure_of([] { return new Odd([](TransportEvents&) { throw std::runtime_error("no modem"); }); });
    EXPECT_EQ(error.code, Errc::handler_threw);
    EXPECT_THAT(error.text, HasSubstr("the transport threw: no modem"));
}

TEST(CustomTransport, FactoryThatReturnsNullEndsTheConnection) {
    EXPECT_EQ(failure_of([]() -> Transport* { return nullptr; }).code, Errc::invalid_option);
}

TEST(CustomTransport, ThatNeverOpensRunsIntoTheConnectTimeout) {
    Recorder recorder;
    Connection c({.server = "odd://one",
                  .transport = [] { return new Odd([](TransportEvents&) {}); },
                  .handler = recorder.factory(),
                  .connect_timeout = 1ms});
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(recorder.seen().statuses.back().reason.code, Errc::connect_timeout);
}

} // namespace
} // namespace tortoise
