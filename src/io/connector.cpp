#include "io/connector.hpp"
#include "io/custom.hpp"
#include "io/proxy.hpp"
#include "io/tcp.hpp"
#include "io/unix.hpp"
#include "io/websocket.hpp"
#include <algorithm>
#include <chrono>
#include <list>

namespace tortoise::io {

namespace {
constexpr auto stagger = std::chrono::milliseconds(250);
}

Addresses interleaved(const Addresses& addresses) {
    Addresses first, second, out;
    for (const auto& a : addresses) (a.family() == addresses.front().family() ? first : second).push_back(a);
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    return out;
}

struct Connector::Attempt final : Stream::Events {
    Attempt(Connector& c, Stage s) : connector(c), stage(s) {}
    ~Attempt() {
        if (stream) stream->close();
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    void opened() override { connector.opened(*this); }
    void not_opened(Error error) override { connector.failed(*this, std::move(error)); }
    void readable() override {}
    void writable() override {}

    Connector& connector;
    const Stage stage;
    std::shared_ptr<Stream> stream;
};

/// What connecting takes, from start() to the answer.
struct Connector::Race {
    Race(Connector& c, Url u, Answer a)
        : url(std::move(u)), answer(std::move(a)), stagger(c.loop_, [&c] { c.try_next(); }) {}

    const Url url;
    Answer answer;
    Resolver::Question question;
    Timer stagger;
    Addresses addresses; // to be tried
    std::size_t next = 0;
    std::list<Attempt> attempts; // under way
    Error error;                 // of those that failed
};

Connector::Connector(Loop& loop, Resolver& resolver, Means means)
    : loop_(loop), resolver_(resolver), means_(std::move(means)) {}

Connector::~Connector() = default;

/// Null: there is none on the way.
const Url* Connector::proxy() const noexcept {
    if (means_.transport || race_->url.is_unix() || !means_.detours || !means_.detours->proxy) return nullptr;
    return &*means_.detours->proxy;
}

void Connector::start(const Url& to, Answer answer) {
    race_ = std::make_unique<Race>(*this, to, std::move(answer));
    const auto& url = race_->url;
    if (means_.transport) {
        return begin(Stage::connecting,
                     [&](Attempt& a) { return open_custom(loop_, means_.transport, url.given, url.to_string(), a); });
    }
    if (url.is_unix()) return begin(Stage::connecting, [&](Attempt& a) { return connect_unix(loop_, url.path, a); });
    const auto& first = proxy() ? *proxy() : url;
    race_->question = resolver_.ask(loop_, first.host, first.port,
                                    [this](Result<Addresses> addresses) { resolved(std::move(addresses)); });
}

void Connector::cancel() noexcept { race_.reset(); }

void Connector::resolved(Result<Addresses> addresses) {
    if (!addresses) return finish(nullptr, std::move(addresses).error());
    race_->addresses = interleaved(*addresses);
    try_next();
}

template <class Begin> void Connector::begin(Stage stage, Begin begin) {
    auto& attempt = race_->attempts.emplace_back(*this, stage);
    attempt.stream = begin(attempt);
}

void Connector::try_next() {
    auto& race = *race_;
    if (race.next == race.addresses.size()) return;
    begin(Stage::connecting, [&](Attempt& a) { return connect_tcp(loop_, race.addresses[race.next++], a); });
    if (race.next < race.addresses.size()) race.stagger.arm(Loop::now() + stagger);
}

/// The first one wins. All else is for the winner only: a server is not to see handshakes that are given up.
void Connector::opened(Attempt& attempt) {
    const auto stage = attempt.stage;
    auto stream = std::exchange(attempt.stream, nullptr);
    stream->tell(nullptr);
    auto& race = *race_;
    race.stagger.disarm();
    race.next = race.addresses.size();
    race.attempts.clear();
    go_on(stage, std::move(stream));
}

/// Begins the next stage that this way has.
void Connector::go_on(Stage done, std::shared_ptr<Stream> stream) {
    const auto& url = race_->url;
    if (done < Stage::proxy && proxy())
        return begin(Stage::proxy, [&](Attempt& a) {
            return shake_hands(loop_, std::move(stream), proxy_handshake(*proxy(), url), a);
        });
    if (done < Stage::tls && url.secure())
        return begin(Stage::tls,
                     [&](Attempt& a) { return secure_client(loop_, std::move(stream), means_.tls, url.host, a); });
    if (!url.websocket()) return finish(std::move(stream), {});
    if (done < Stage::websocket)
        return begin(Stage::websocket, [&](Attempt& a) {
            const auto headers = means_.detours ? std::span(means_.detours->headers) : std::span<const HttpHeader>();
            return shake_hands(loop_, std::move(stream), websocket_request(url.http_host(), url.path, headers), a);
        });
    finish(websocket(loop_, std::move(stream), WebSocketSide::client), {});
}

void Connector::failed(Attempt& attempt, Error error) {
    auto& race = *race_;
    if (attempt.stage == Stage::proxy) error.text = proxy()->to_string() + ": " + error.text;
    if (attempt.stage == Stage::websocket) error.text = race.url.to_string() + ": " + error.text;
    if (!race.error.code || attempt.stage != Stage::connecting)
        race.error = std::move(error);
    else
        race.error.text += "; " + error.text;
    std::erase_if(race.attempts, [&](const Attempt& a) { return &a == &attempt; });
    if (race.next < race.addresses.size()) return try_next();
    if (race.attempts.empty()) finish(nullptr, std::move(race.error));
}

void Connector::finish(std::shared_ptr<Stream> stream, Error error) {
    auto answer = std::move(race_->answer);
    race_.reset();
    answer(std::move(stream), std::move(error));
}

} // namespace tortoise::io
