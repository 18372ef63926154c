// A consumer that is far slower than its topic: memory stays where it was, and nothing is lost.
#include "support/options.hpp"
#include "support/plain_server.hpp"
#include "support/resident.hpp"
#include <cstdlib>
#include <sys/socket.h>
#include <thread>
#include <tortoise/core/codec.hpp>

namespace tortoise::test {
namespace {

/// A broker with one topic, on which it has 50,000 numbered messages of QoS 1 a second for the first who subscribes. It
/// sends as many of them as it may: within the client's Receive Maximum on MQTT 5, as fast as they are read on 3.1.1.
class Fountain {
public:
    explicit Fountain(Version version) : version_(version), thread_([this] { run(); }) {}
    ~Fountain() {
        stop();
        thread_.join();
    }
    std::string url() const { return listening_.url(); }
    /// No more are made. What was made is sent all the same.
    std::uint64_t dry_up() {
        std::lock_guard lock(mutex_);
        if (!made_at_most_) made_at_most_ = made();
        return *made_at_most_;
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::uint64_t per_ms = 50;

    std::uint64_t made() const {
        if (!began_) return 0;
        return per_ms * static_cast<std::uint64_t>((Clock::now() - *began_) / std::chrono::milliseconds(1));
    }
    void stop() {
        stopping_ = true;
        ::shutdown(listening_.socket(), SHUT_RDWR);
        const int socket = socket_;
        if (socket >= 0) ::shutdown(socket, SHUT_RDWR);
    }

    void run() {
        socket_ = ::accept(listening_.socket(), nullptr, nullptr);
        if (stopping_ || socket_ < 0) return;
        std::string octets(64 * 1024, '\0');
        while (!stopping_) {
            pollfd wait{socket_, POLLIN, 0};
            if (::poll(&wait, 1, window() > 0 && began_ ? 1 : 100) > 0) {
                const auto got = ::recv(socket_, octets.data(), octets.size(), 0);
                if (got <= 0) break;
                reader_.feed(Octets(octets.data(), static_cast<std::size_t>(got)));
                read_packets();
            }
            if (!send_due()) break;
        }
        ::close(socket_);
    }
    void read_packets() {
        for (auto frame = reader_.next(); frame && *frame; frame = reader_.next()) {
            const auto packet = core::decode(version_, **frame);
            if (!packet) return;
            if (const auto* connect = std::get_if<core::Connect>(&*packet)) {
                receive_maximum_ = connect->properties.get(property::receive_maximum).value_or(65'535);
                send(core::Connack{});
            } else if (const auto* subscribe = std::get_if<core::Subscribe>(&*packet)) {
                send(core::Suback{subscribe->id, {Reason::granted_qos_1}, {}});
                std::lock_guard lock(mutex_);
                began_ = Clock::now();
            } else if (std::holds_alternative<core::Pingreq>(*packet)) {
                send(core::Pingresp{});
            } else if (std::holds_alternative<core::Ack>(*packet)) {
                ++acknowledged_;
            }
        }
    }
    std::uint64_t window() const {
        return version_ == Version::v5 ? receive_maximum_ - (sent_ - acknowledged_) : 60'000 - (sent_ - acknowledged_);
    }
    bool send_due() {
        std::uint64_t until = 0;
        {
            std::lock_guard lock(mutex_);
            until = made_at_most_.value_or(made());
        }
        std::string burst;
        for (int i = 0; i < 1000 && sent_ < until && window() > 0; ++i) {
            const auto payload = std::to_string(sent_++);
            const core::Publish publish{.id = static_cast<core::PacketId>(sent_ % 65'535 + 1),
                                        .topic = "fountain",
                                        .payload = payload,
                                        .qos = QoS::at_least_once};
            static_cast<void>(core::encode(version_, publish, burst));
        }
        return write(burst);
    }
    void send(const core::Packet& packet) {
        std::string octets;
        static_cast<void>(core::encode(version_, packet, octets));
        write(octets);
    }
    bool write(const std::string& octets) {
        for (std::size_t written = 0; written < octets.size();) {
            const auto put = ::send(socket_, octets.data() + written, octets.size() - written, MSG_NOSIGNAL);
            if (put <= 0) return false;
            written += static_cast<std::size_t>(put);
        }
        return true;
    }

    const Version version_;
    Listening listening_;
    std::atomic<int> socket_{-1};
    std::atomic<bool> stopping_{false};
    core::FrameReader reader_;
    std::uint64_t receive_maximum_ = 65'535, sent_ = 0, acknowledged_ = 0;
    std::mutex mutex_;
    std::optional<Clock::time_point> began_;    // guarded by mutex_
    std::optional<std::uint64_t> made_at_most_; // guarded by mutex_
    std::thread thread_;
};

/// 3 s; `scripts/check slow` takes 60 s.
std::chrono::seconds duration() {
    const char* told = std::getenv("TORTOISE_TEST_SLOW_SECONDS");
    return std::chrono::seconds(told ? std::atoi(told) : 3);
}

class SlowConsumer : public BothVersions {};
TORTOISE_BOTH_VERSIONS(SlowConsumer);

TEST_P(SlowConsumer, holdsTheBrokerBackAndLosesNothing) {
    Fountain fountain(version());
    Recorder recorder;
    auto o = options(recorder, fountain.url());
    o.receive_maximum = 1000;
    o.keep_alive = 1s; // the broker's silence while nothing is read is nobody's fault
    o.keep_alive_timeout = 500ms;
    Connection c{o};
    ASSERT_TRUE(c.wait_until_up(patience));
    const auto before = resident_kib();
    auto most = before;
    Stream stream(c, {{"fountain", QoS::at_least_once}}, {.messages = 500});
    std::uint64_t next = 0;
    const auto until = std::chrono::steady_clock::now() + duration();
    while (std::chrono::steady_clock::now() < until) {
        const auto message = stream.next(patience);
        ASSERT_TRUE(message) << message.error().describe();
        ASSERT_EQ(message->payload, std::to_string(next++));
        std::this_thread::sleep_for(10ms); // its work
        most = std::max(most, resident_kib());
    }
    RecordProperty("messages", std::to_string(next));
    RecordProperty("grown_kib", std::to_string(most - before));
    EXPECT_LE(most - before, 16 * 1024 + kept_by_sanitizers_kib);
    EXPECT_EQ(c.statistics().connects, 1);
    EXPECT_EQ(stream.dropped(), 0);
    // What had been made meanwhile comes now, every one of the next 100,000 and in its order.
    const auto rest = std::min(fountain.dry_up(), next + 100'000);
    for (; next < rest; ++next) {
        const auto message = stream.next(patience);
        ASSERT_TRUE(message) << message.error().describe();
        ASSERT_EQ(message->payload, std::to_string(next));
    }
    EXPECT_LE(resident_kib() - before, 16 * 1024 + kept_by_sanitizers_kib);
}

} // namespace
} // namespace tortoise::test
