// WebSocket over a stream, both sides: what is written arrives, however slowly the other side reads; and what the
// frames between it are for happens.
#include "io/unix.hpp"
#include "io/websocket.hpp"
#include "io/with_loop.hpp"
#include <algorithm>
#include <gmock/gmock.h>

namespace tortoise::io::test {
namespace {

using ::testing::HasSubstr;

/// Writes what it is given, and reads what comes; of a loop's thread.
class End final : public Stream::Events {
public:
    explicit End(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {
        stream_->tell(this);
        stream_->await_readable();
    }
    ~End() { stream_->close(); }
    End(const End&) = delete;
    End& operator=(const End&) = delete;

    void write(std::string octets) {
        unwritten_ += octets;
        writable();
    }
    void read_nothing(bool nothing) {
        deaf_ = nothing;
        if (!nothing) stream_->await_readable();
    }
    void finish() { stream_->finish(); }
    void expect(std::size_t octets) { awaited_ = octets; }

    Later<std::string> heard; // as many octets as were expected
    Later<Error> lost;

private:
    void opened() override {}
    void not_opened(Error why) override { lost.set(std::move(why)); }
    void readable() override {
        if (deaf_) return;
        char room[3000];
        while (true) {
            const auto got = stream_->read(room, sizeof(room));
            if (got.state == Transfer::failed) return lost.set(got.error);
            if (got.state == Transfer::blocked) break;
            got_.append(room, got.size);
            if (awaited_ != 0 && got_.size() >= awaited_) heard.set(std::exchange(got_, {}));
        }
        stream_->await_readable();
    }
    void writable() override {
        while (!unwritten_.empty()) {
            const auto put = stream_->write(unwritten_);
            if (put.state == Transfer::failed) return;
            if (put.state == Transfer::blocked) return stream_->await_writable();
            unwritten_.erase(0, put.size);
        }
    }

    std::shared_ptr<Stream> stream_;
    std::string unwritten_, got_;
    std::size_t awaited_ = 0;
    bool deaf_ = false;
};

/// Who waits to be told that a client's stream is open.
struct Opening final : Stream::Events {
    void opened() override { is_open.set(true); }
    void not_opened(Error why) override { failed.set(std::move(why)); }
    void readable() override {}
    void writable() override {}
    Later<bool> is_open;
    Later<Error> failed;
};

class WebSocketStream : public ::testing::Test {
protected:
    void SetUp() override {
        on(*loop_, [&] {
            auto pair = *connected_pair(*loop_);
            far_ = websocket(*loop_, answer_hands(*loop_, std::move(pair.second), websocket_answer()),
                             WebSocketSide::server);
            server_ = std::make_unique<End>(far_);
            near_ = shake_hands(*loop_, std::move(pair.first), websocket_request("h", "/mqtt", {}), opening_);
        });
        ASSERT_TRUE(opening_.is_open.wait());
        on(*loop_, [&] {
            near_->tell(nullptr);
            client_ = std::make_unique<End>(websocket(*loop_, std::move(near_), WebSocketSide::client));
        });
    }
    void TearDown() override {
        on(*loop_, [&] {
            client_.reset();
            server_.reset();
            raw_.reset();
            far_.reset();
        });
    }
    /// A server whose octets the test chooses, behind its answer.
    void raw_server(std::unique_ptr<End>& client) {
        on(*loop_, [&] {
            auto pair = *connected_pair(*loop_);
            raw_ = std::make_unique<End>(std::move(pair.second));
            client = std::make_unique<End>(websocket(*loop_, std::move(pair.first), WebSocketSide::client));
        });
    }

    const tortoise::detail::Ref<Loops> loops_ = Loops::make(1);
    Loop* const loop_ = &loops_->next();
    Opening opening_;
    std::shared_ptr<Stream> near_, far_;
    std::unique_ptr<End> client_, server_, raw_;
};

TEST_F(WebSocketStream, BringsWhatIsWrittenInBothDirections) {
    const std::string much(3'000'000, 'm');
    on(*loop_, [&] {
        client_->expect(much.size());
        server_->expect(much.size() + 1);
        client_->write(much + "!");
        server_->write(much);
    });
    ASSERT_TRUE(client_->heard.wait());
    ASSERT_TRUE(server_->heard.wait());
    EXPECT_TRUE(*client_->heard == much);
    EXPECT_TRUE(*server_->heard == much + "!");
}

TEST_F(WebSocketStream, WaitsForWhoDoesNotRead) {
    const std::string much(2'000'000, 'm');
    on(*loop_, [&] {
        server_->read_nothing(true);
        server_->expect(much.size());
        client_->write(much);
    });
    on(*loop_, [&] { server_->read_nothing(false); });
    ASSERT_TRUE(server_->heard.wait());
    EXPECT_TRUE(*server_->heard == much);
}

TEST_F(WebSocketStream, SaysGoodbye) {
    on(*loop_, [&] {
        client_->expect(3);
        server_->write("bye");
        server_->finish();
    });
    ASSERT_TRUE(client_->lost.wait());
    EXPECT_EQ(client_->lost->code, Errc::connection_lost);
    EXPECT_THAT(client_->lost->text, HasSubstr("closed the connection (1000)"));
    ASSERT_TRUE(client_->heard.wait());
    EXPECT_EQ(*client_->heard, "bye");
}

TEST_F(WebSocketStream, AnswersPings) {
    std::unique_ptr<End> client;
    raw_server(client);
    on(*loop_, [&] {
        raw_->expect(2 + 4 + 4);
        raw_->write("\x89\x04"
                    "beat");
    });
    ASSERT_TRUE(raw_->heard.wait());
    auto pong = *raw_->heard;
    EXPECT_EQ(pong.substr(0, 2), "\x8A\x84");
    for (std::size_t i = 0; i < 4; ++i) pong[6 + i] = static_cast<char>(pong[6 + i] ^ pong[2 + i]);
    EXPECT_EQ(pong.substr(6), "beat");
    on(*loop_, [&] { client.reset(); });
}

/// [MQTT-6.0.0-1]
TEST_F(WebSocketStream, EndsAtAMessageOfText) {
    std::unique_ptr<End> client;
    raw_server(client);
    on(*loop_, [&] {
        raw_->expect(8);
        raw_->write("\x81\x02hi");
    });
    ASSERT_TRUE(client->lost.wait());
    EXPECT_THAT(client->lost->text, HasSubstr("sent a text message"));
    ASSERT_TRUE(raw_->heard.wait()); // a Close
    EXPECT_EQ(raw_->heard->substr(0, 2), "\x88\x82");
    on(*loop_, [&] { client.reset(); });
}

/// Pings come, nothing of ours can go: one Pong is due at the end, and memory does not grow.
TEST_F(WebSocketStream, AnswersAFloodOfPingsWithOnePongAtATime) {
    std::unique_ptr<End> client;
    raw_server(client);
    const std::string much(1'000'000, 'm'), ping("\x89\x00", 2);
    on(*loop_, [&] {
        raw_->read_nothing(true);
        client->write(much);
    });
    std::string pings;
    for (int i = 0; i < 100'000; ++i) pings += ping;
    on(*loop_, [&] {
        client->expect(1);
        raw_->write(pings + "\x82\x01!");
    });
    ASSERT_TRUE(client->heard.wait());
    const auto whole = much.size() + 15 * 14 + 8 + 6; // 15 long frames and a short one, and a Pong
    on(*loop_, [&] {
        raw_->expect(whole);
        raw_->read_nothing(false);
    });
    ASSERT_TRUE(raw_->heard.wait());
    EXPECT_EQ(raw_->heard->size(), whole);
    on(*loop_, [&] { client.reset(); });
}

/// A stream that is broken in the middle of a Pong: the next to write is told, whatever was left of the Pong.
TEST_F(WebSocketStream, OutlivesAPongThatCannotGoToItsEnd) {
    struct Breaking final : Stream {
        void tell(Events* e) noexcept override { events = e; }
        void await_readable() override {}
        void await_writable() override { waits = true; }
        Transfer read(char* into, std::size_t room) override {
            if (comes.empty()) return {.state = Transfer::blocked};
            const auto size = comes.copy(into, room);
            comes.erase(0, size);
            return {.size = size};
        }
        Transfer write(Octets octets, bool) override {
            if (broken) return {.state = Transfer::failed, .error = make_error(Errc::connection_lost, "broken")};
            const auto size = std::min(std::exchange(accepts, 0u), octets.size());
            return size == 0 ? Transfer{.state = Transfer::blocked} : Transfer{.size = size};
        }
        const std::string& peer() const noexcept override { return name; }
        void close() noexcept override {}
        void finish() noexcept override {}

        const std::string name = "peer";
        std::string comes = "\x89\x64" + std::string(100, 'p');
        std::size_t accepts = 50;
        bool waits = false, broken = false;
        Events* events = nullptr;
    };
    on(*loop_, [&] {
        const auto below = std::make_shared<Breaking>();
        const auto stream = websocket(*loop_, below, WebSocketSide::client);
        char room[200];
        EXPECT_EQ(stream->read(room, sizeof(room)).state, Transfer::blocked);
        EXPECT_TRUE(below->waits) << "half a Pong is left";
        below->broken = true;
        below->events->writable();
        EXPECT_EQ(stream->write("!").state, Transfer::failed);
    });
}

TEST_F(WebSocketStream, TellsWhyHandsWereNotShaken) {
    Opening opening;
    std::shared_ptr<Stream> near;
    on(*loop_, [&] {
        auto pair = *connected_pair(*loop_);
        raw_ = std::make_unique<End>(std::move(pair.second));
        raw_->write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        near = shake_hands(*loop_, std::move(pair.first), websocket_request("h", "/wrong", {}), opening);
    });
    ASSERT_TRUE(opening.failed.wait());
    EXPECT_EQ(opening.failed->code, Errc::websocket_refused);
    EXPECT_THAT(opening.failed->text, HasSubstr("answered 404 Not Found to GET /wrong"));
    on(*loop_, [&] { near->close(); });
}

TEST_F(WebSocketStream, KeepsWhatCameWithTheAnswer) {
    Opening opening;
    std::shared_ptr<Stream> near;
    std::unique_ptr<End> client;
    /// Answers, and goes on at once with a frame.
    struct Eager final : Handshake {
        std::unique_ptr<Handshake> inner = websocket_answer();
        std::string begin() override { return inner->begin(); }
        Step hear(Octets octets) override {
            auto step = inner->hear(octets);
            if (step.state == Step::done) step.say += "\x82\x05hello";
            return step;
        }
    };
    std::unique_ptr<End> server;
    on(*loop_, [&] {
        auto pair = *connected_pair(*loop_);
        server = std::make_unique<End>(answer_hands(*loop_, std::move(pair.second), std::make_unique<Eager>()));
        near = shake_hands(*loop_, std::move(pair.first), websocket_request("h", "/", {}), opening);
    });
    ASSERT_TRUE(opening.is_open.wait());
    on(*loop_, [&] {
        near->tell(nullptr);
        client = std::make_unique<End>(websocket(*loop_, std::move(near), WebSocketSide::client));
        client->expect(5);
    });
    ASSERT_TRUE(client->heard.wait());
    EXPECT_EQ(*client->heard, "hello");
    on(*loop_, [&] {
        client.reset();
        server.reset();
    });
}

} // namespace
} // namespace tortoise::io::test
