#include "io/connector.hpp"
#include "io/custom.hpp"
#include "io/tcp.hpp"
#include "io/unix.hpp"
#include <algorithm>
#include <chrono>

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
    explicit Attempt(Connector& c) : connector(c) {}
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
    std::shared_ptr<Stream> stream;
    bool secured = false;
};

Connector::Connector(Loop& loop, Resolver& resolver, Means means)
    : loop_(loop), resolver_(resolver), means_(std::move(means)), stagger_(loop, [this] { try_next(); }) {}

Connector::~Connector() { cancel(); }

void Connector::start(const Url& url, Answer answer) {
    cancel();
    answer_ = std::move(answer);
    error_ = {};
    url_ = url;
    addresses_.clear();
    next_ = 0;
    if (means_.transport) {
        return begin([&](Attempt& a) { return open_custom(loop_, means_.transport, url_.given, url_.to_string(), a); });
    }
    if (!url.path.empty()) {
        return begin([&](Attempt& a) { return connect_unix(loop_, url_.path, a); });
    }
    question_ = resolver_.ask(loop_, url.host, url.port,
                              [this](Result<Addresses> addresses) { resolved(std::move(addresses)); });
}

void Connector::cancel() noexcept {
    question_.withdraw();
    stagger_.disarm();
    attempts_.clear();
    answer_ = nullptr;
}

void Connector::resolved(Result<Addresses> addresses) {
    if (!addresses) return finish(nullptr, std::move(addresses).error());
    addresses_ = interleaved(*addresses);
    next_ = 0;
    try_next();
}

template <class Begin> void Connector::begin(Begin begin) {
    auto& attempt = attempts_.emplace_back(*this);
    attempt.stream = begin(attempt);
}

void Connector::try_next() {
    if (next_ == addresses_.size()) return;
    begin([&](Attempt& a) { return connect_tcp(loop_, addresses_[next_++], a); });
    if (next_ < addresses_.size()) stagger_.arm(Loop::now() + stagger);
}

/// The first one wins. TLS is for the winner only: a server is not to see handshakes that are given up.
void Connector::opened(Attempt& attempt) {
    auto stream = std::exchange(attempt.stream, nullptr);
    stream->tell(nullptr);
    if (attempt.secured || !url_.secure()) return finish(std::move(stream), {});
    stagger_.disarm();
    next_ = addresses_.size();
    attempts_.clear();
    begin([&](Attempt& a) {
        a.secured = true;
        return secure_client(loop_, std::move(stream), means_.tls, url_.host, a);
    });
}

void Connector::failed(Attempt& attempt, Error error) {
    if (!error_.code || attempt.secured)
        error_ = std::move(error);
    else
        error_.text += "; " + error.text;
    std::erase_if(attempts_, [&](const Attempt& a) { return &a == &attempt; });
    if (next_ < addresses_.size()) return try_next();
    if (attempts_.empty()) finish(nullptr, std::move(error_));
}

void Connector::finish(std::shared_ptr<Stream> stream, Error error) {
    auto answer = std::move(answer_);
    cancel();
    if (answer) answer(std::move(stream), std::move(error));
}

} // namespace tortoise::io
