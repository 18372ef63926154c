#include "io/connector.hpp"
#include "io/tcp.hpp"
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

    void opened() override {
        stream->tell(nullptr);
        connector.finish(std::move(stream), {});
    }
    void not_opened(Error error) override { connector.failed(*this, std::move(error)); }
    void readable() override {}
    void writable() override {}

    Connector& connector;
    std::shared_ptr<Stream> stream;
};

Connector::Connector(Loop& loop, Resolver& resolver)
    : loop_(loop), resolver_(resolver), stagger_(loop, [this] { try_next(); }) {}

Connector::~Connector() { cancel(); }

void Connector::start(const Url& url, Answer answer) {
    cancel();
    answer_ = std::move(answer);
    error_ = {};
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

void Connector::try_next() {
    if (next_ == addresses_.size()) return;
    auto& attempt = attempts_.emplace_back(*this);
    attempt.stream = connect_tcp(loop_, addresses_[next_++], attempt);
    if (next_ < addresses_.size()) stagger_.arm(Loop::now() + stagger);
}

void Connector::failed(Attempt& attempt, Error error) {
    if (!error_.code)
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
