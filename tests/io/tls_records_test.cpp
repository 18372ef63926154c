// What TLS makes of long writes: records, several at a time.
#include "io/tls_context.hpp"
#include "secure_echo.hpp"
#include <atomic>
#include <limits>
#include <thread>

namespace tortoise::io {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t together = 4 * 16'384; // what four records hold

/// Takes no more octets than it has room for, and writes down which writes are said to be followed by more.
class Narrow final : public Stream {
public:
    explicit Narrow(std::shared_ptr<Stream> over) : over_(std::move(over)) {}
    void tell(Events* events) noexcept override { over_->tell(events); }
    void await_readable() override { over_->await_readable(); }
    void await_writable() override {
        ++waits;
        over_->await_writable();
    }
    Transfer read(char* into, std::size_t size) override { return over_->read(into, size); }
    Transfer write(Octets octets, bool more) override {
        if (room == 0) return {.state = Transfer::blocked};
        followed.push_back(more);
        const auto put = over_->write(octets.substr(0, room), more);
        if (room != no_limit) room -= put.size;
        return put;
    }
    const std::string& peer() const noexcept override { return over_->peer(); }
    void close() noexcept override { over_->close(); }
    void finish() noexcept override { over_->finish(); }

    std::size_t room = no_limit;
    std::vector<bool> followed;
    std::atomic<int> waits = 0; // for room

private:
    std::shared_ptr<Stream> over_;
};

/// Reads so many octets.
struct Reading final : Stream::Events {
    Reading(std::shared_ptr<Stream> s, std::size_t n) : stream(std::move(s)), wanted(n) {
        stream->tell(this);
        stream->await_readable();
    }
    void opened() override {}
    void not_opened(Error) override {}
    void writable() override {}
    void readable() override {
        char octets[4096];
        auto got = stream->read(octets, sizeof(octets));
        if (got.state == Transfer::moved) text.append(octets, got.size);
        error = std::move(got.error);
        if (got.state == Transfer::failed || text.size() >= wanted) return done.set();
        stream->await_readable();
    }
    std::shared_ptr<Stream> stream;
    const std::size_t wanted;
    std::string text;
    Error error;
    Latch done;
};

/// Writes everything, however long that takes. What comes meanwhile is for the reader, if there is one.
struct Sending final : Stream::Events {
    Sending(std::shared_ptr<Stream> s, Octets octets, Reading* r) : stream(std::move(s)), left(octets), reader(r) {
        stream->tell(this);
        writable();
    }
    void opened() override {}
    void not_opened(Error) override {}
    void readable() override {
        if (reader) reader->readable();
    }
    void writable() override {
        while (!left.empty()) {
            const auto put = stream->write(left);
            if (put.state == Transfer::blocked) return stream->await_writable();
            if (put.state == Transfer::failed) return;
            sizes.push_back(put.size);
            left.remove_prefix(put.size);
        }
    }
    std::shared_ptr<Stream> stream;
    Octets left;
    Reading* const reader;
    std::vector<std::size_t> sizes;
};

std::string long_text(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('!' + i * i % 89);
    return text;
}

/// A server over a narrow stream, and its client.
class TlsRecords : public SecureEcho, public ::testing::WithParamInterface<TlsVersion> {
protected:
    ~TlsRecords() override { hang_up(); }
    void hang_up() {
        on_loop([this] {
            said.reset();
            heard.reset();
            sending.reset();
            caller.reset();
            narrow.reset();
            peers.clear();
            acceptor.reset();
        });
    }
    void connect() {
        const auto identity = authority.issue();
        server = *make_server_tls(
            {.tls = {.certificate = identity.certificate(), .key = identity.key(), .maximum = GetParam()}});
        listen([this](std::shared_ptr<Stream> stream) {
            narrow = std::make_shared<Narrow>(std::move(stream));
            return secure_server(loop, narrow, server);
        });
        const auto tls = *make_client_tls(trusting());
        SSL_CTX_set_info_callback(OpenSslContext::of(*tls).native(),
                                  [](const SSL* ssl, int, int) { client = const_cast<SSL*>(ssl); });
        on_loop([&] {
            caller = std::make_unique<Caller>(loop, resolver, Means{.tls = tls});
            caller->call(*parse_url("mqtts://localhost:" + std::to_string(acceptor->port())));
        });
        caller->done.wait();
        ASSERT_EQ(caller->result.describe(), Error{}.describe());
    }
    Stream& sender() { return *peers.front().stream; }
    void read_at_client(std::size_t size) { heard = std::make_unique<Reading>(caller->stream, size); }
    void read_at_server(std::size_t size) { said = std::make_unique<Reading>(peers.front().stream, size); }
    void send(Octets octets) { sending = std::make_unique<Sending>(peers.front().stream, octets, said.get()); }

    static inline SSL* client = nullptr;
    std::shared_ptr<Narrow> narrow;
    std::unique_ptr<Caller> caller;
    std::unique_ptr<Reading> heard, said;
    std::unique_ptr<Sending> sending;
    const std::string text = long_text(100'000);
};
INSTANTIATE_TEST_SUITE_P(Of, TlsRecords, ::testing::Values(TlsVersion::v1_2, TlsVersion::v1_3),
                         [](const auto& test) { return test.param == TlsVersion::v1_2 ? "v1_2" : "v1_3"; });

TEST_P(TlsRecords, SeveralAreWrittenTogetherAndSaidToBeFollowed) {
    connect();
    on_loop([&] {
        read_at_client(text.size());
        narrow->followed.clear();
        send(text);
    });
    heard->done.wait();
    EXPECT_EQ(heard->text, text);
    on_loop([&] {
        EXPECT_EQ(sending->sizes, (std::vector<std::size_t>{together, text.size() - together}));
        EXPECT_TRUE(narrow->followed.front());
        EXPECT_FALSE(narrow->followed.back());
    });
}

TEST_P(TlsRecords, ThatDoNotFitInGoOnWhenTheSameOctetsComeAgain) {
    connect();
    on_loop([&] {
        read_at_client(text.size());
        for (const std::size_t room : {20'000, 1, 16'384}) {
            narrow->room = room;
            EXPECT_EQ(sender().write(text).state, Transfer::blocked);
            EXPECT_EQ(narrow->room, 0u);
        }
        narrow->room = no_limit;
        send(text);
    });
    heard->done.wait();
    EXPECT_EQ(heard->text, text);
    on_loop([&] { EXPECT_EQ(sending->sizes, (std::vector<std::size_t>{together, text.size() - together})); });
}

TEST_P(TlsRecords, MoreMayBeBehindThemWhenTheyComeAgain) {
    connect();
    on_loop([&] {
        read_at_client(text.size());
        narrow->room = 5;
        EXPECT_EQ(sender().write(text.substr(0, 100)).state, Transfer::blocked);
        narrow->room = no_limit;
        send(text);
    });
    heard->done.wait();
    EXPECT_EQ(heard->text, text);
    on_loop([&] { EXPECT_EQ(sending->sizes.front(), 100u); });
}

/// However long what is being written is: the answer may not come in between.
TEST_P(TlsRecords, NewKeysThatAreAskedForMeanwhileAreForThoseBehindThem) {
    if (GetParam() != TlsVersion::v1_3) GTEST_SKIP() << "TLS 1.2 renews no keys";
    for (const std::size_t size : {text.size(), std::size_t{10'000}}) {
        const auto words = Octets(text).substr(0, size);
        connect();
        on_loop([&] {
            read_at_client(size);
            read_at_server(2);
            narrow->room = 5'000;
            EXPECT_EQ(sender().write(words).state, Transfer::blocked);
            for (int times = 0; times < 2; ++times) {
                SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
                caller->stream->write("x");
            }
        });
        while (narrow->waits == 0) std::this_thread::yield(); // to answer the second one; and there is no room
        on_loop([&] {
            narrow->room = no_limit;
            send(words);
        });
        said->done.wait();
        EXPECT_EQ(said->text, "xx") << said->error.describe();
        heard->done.wait();
        EXPECT_EQ(heard->text, words);
        hang_up();
    }
}

TEST_P(TlsRecords, AGoodbyeIsSaidBehindThem) {
    connect();
    on_loop([&] {
        read_at_client(text.size());
        narrow->room = 20'000;
        EXPECT_EQ(sender().write(text).state, Transfer::blocked);
        narrow->room = no_limit;
        sender().finish();
    });
    heard->done.wait();
    EXPECT_EQ(heard->text, text.substr(0, together));
    EXPECT_EQ(heard->error.code, Errc::connection_lost) << heard->error.describe();
    on_loop([&] { EXPECT_TRUE(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN); });
}

TEST_P(TlsRecords, ThatCannotBeWrittenAreALostConnection) {
    connect();
    on_loop([&] {
        narrow->room = 20'000;
        EXPECT_EQ(sender().write(text).state, Transfer::blocked);
        narrow->room = no_limit;
        caller->stream->reset();
        caller->stream.reset();
    });
    Transfer result;
    do on_loop([&] { result = sender().write(text); }); // until the news has come
    while (result.state == Transfer::moved);
    EXPECT_EQ(result.state, Transfer::failed);
    EXPECT_EQ(result.error.code, Errc::connection_lost) << result.error.describe();
}

} // namespace
} // namespace tortoise::io
