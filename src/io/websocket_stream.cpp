// Frames over a stream. What is read is unpacked where it is; what is written is packed in a buffer of our own, since a
// client's octets are masked.
#include "core/give_back.hpp"
#include "io/websocket.hpp"
#include <algorithm>
#include <array>
#include <openssl/rand.h>
#include <optional>
#include <utility>

namespace tortoise::io {

namespace {

constexpr std::size_t most_at_once = 64 * 1024; // octets in a frame
constexpr int reads_per_turn = 16;              // that bring nothing but control frames

class WebSocketStream final : public Stream, Stream::Events, public std::enable_shared_from_this<WebSocketStream> {
public:
    using Events = Stream::Events;

    WebSocketStream(Loop& loop, std::shared_ptr<Stream> over, WebSocketSide own)
        : loop_(loop), over_(std::move(over)), peer_(over_->peer()), masks_(own == WebSocketSide::client),
          reader_(masks_ ? WebSocketSide::server : WebSocketSide::client) {
        over_->tell(this);
    }
    ~WebSocketStream() { close(); }
    WebSocketStream(const WebSocketStream&) = delete;
    WebSocketStream& operator=(const WebSocketStream&) = delete;

    void tell(Events* events) noexcept override { events_ = events; }
    void await_readable() override {
        reads_ = true;
        if (broken_) return later([](WebSocketStream& self) { self.readable(); });
        if (!std::exchange(awaits_read_, true)) over_->await_readable();
    }
    void await_writable() override {
        writes_ = true;
        if (broken_) return later([](WebSocketStream& self) { self.writable(); });
        await_room();
    }
    Transfer read(char* into, std::size_t room) override;
    Transfer write(Octets, bool more) override;
    const std::string& peer() const noexcept override { return peer_; }

    void close() noexcept override { leave(&Stream::close); }
    void reset() noexcept override { leave(&Stream::reset); }
    /// Says goodbye, if that fits in now; else the end says enough.
    void finish() noexcept override {
        if (over_ && !broken_ && flush(false).state == Transfer::moved) say_close(WebSocketClose::normal);
        leave(&Stream::finish);
    }

private:
    void leave(void (Stream::*how)() noexcept) noexcept {
        events_ = nullptr;
        if (const auto over = std::exchange(over_, nullptr)) (*over.*how)();
    }
    WebSocketMask mask() const {
        if (!masks_) return std::nullopt;
        std::array<char, 4> mask{};
        RAND_bytes(reinterpret_cast<unsigned char*>(mask.data()), static_cast<int>(mask.size()));
        return mask;
    }
    Transfer flush(bool more);
    void answer_control();
    void say_close(WebSocketClose);
    void await_room() {
        if (!std::exchange(awaits_write_, true)) over_->await_writable();
    }
    Transfer failed() const { return {.state = Transfer::failed, .error = *broken_}; }
    template <class Tell> void later(Tell tell) {
        loop_.post([self = shared_from_this(), tell] { tell(*self); });
    }

    void opened() override {}
    void not_opened(Error) override {}
    void readable() override {
        awaits_read_ = false;
        if (events_ && std::exchange(reads_, false)) events_->readable();
    }
    void writable() override {
        awaits_write_ = false;
        if (!broken_) answer_control();
        if (events_ && std::exchange(writes_, false)) events_->writable();
    }

    Loop& loop_;
    std::shared_ptr<Stream> over_;
    const std::string peer_;
    const bool masks_;
    WebSocketReader reader_;
    Events* events_ = nullptr;
    std::string frames_;              // whole ones, that are being written
    std::size_t sent_ = 0;            // of them
    std::size_t carried_ = 0;         // of the user's octets: in them, and not reported as written
    std::optional<std::string> pong_; // what it has to carry, if one is due
    std::optional<Error> broken_;
    bool reads_ = false, writes_ = false;             // what was asked for
    bool awaits_read_ = false, awaits_write_ = false; // what the stream below was asked for
};

Transfer WebSocketStream::read(char* into, std::size_t room) {
    for (int i = 0; i < reads_per_turn && !broken_; ++i) {
        auto got = over_->read(into, room);
        if (got.state != Transfer::moved) return got;
        got.size = reader_.take({into, got.size});
        if (auto ping = reader_.take_ping()) pong_ = std::move(ping);
        if (const auto& end = reader_.end()) {
            broken_ = make_error(Errc::connection_lost, peer_ + " " + end->why);
            if (flush(false).state == Transfer::moved) say_close(end->answer);
        } else {
            answer_control();
        }
        if (got.size > 0) return got;
    }
    return broken_ ? failed() : Transfer{.state = Transfer::blocked};
}

/// All or nothing: who was told to wait comes again with the same octets.
Transfer WebSocketStream::write(Octets octets, bool more) {
    if (broken_) return failed();
    if (carried_ == 0) {
        carried_ = std::min(octets.size(), most_at_once);
        append_binary(frames_, octets.substr(0, carried_), mask());
    }
    auto result = flush(more || octets.size() > carried_);
    if (result.state != Transfer::moved) return result;
    result.size = std::exchange(carried_, 0);
    answer_control();
    return result;
}

Transfer WebSocketStream::flush(bool more) {
    while (sent_ != frames_.size()) {
        auto put = over_->write(Octets(frames_).substr(sent_), more);
        if (put.state != Transfer::moved) return put;
        sent_ += put.size;
    }
    core::give_back(frames_);
    sent_ = 0;
    return {};
}

/// Not while something of the user's is being written: it goes on after that. What fails shows to who reads or writes
/// next.
void WebSocketStream::answer_control() {
    if (carried_ != 0 || (!pong_ && frames_.empty())) return;
    auto put = flush(false);
    if (put.state == Transfer::moved && pong_) {
        append_pong(frames_, *std::exchange(pong_, std::nullopt), mask());
        put = flush(false);
    }
    if (put.state == Transfer::blocked) await_room();
    if (put.state == Transfer::failed) sent_ = frames_.size();
}

void WebSocketStream::say_close(WebSocketClose code) {
    append_close(frames_, code, mask());
    flush(false);
}

} // namespace

std::shared_ptr<Stream> websocket(Loop& loop, std::shared_ptr<Stream> over, WebSocketSide own) {
    return std::make_shared<WebSocketStream>(loop, std::move(over), own);
}

} // namespace tortoise::io
