#include "io/handshake.hpp"
#include "core/give_back.hpp"
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace tortoise::io {

namespace {

class HandshakeStream final : public Stream, Stream::Events, public std::enable_shared_from_this<HandshakeStream> {
public:
    using Events = Stream::Events;

    HandshakeStream(Loop& loop, std::shared_ptr<Stream> over, std::unique_ptr<Handshake> handshake)
        : loop_(loop), over_(std::move(over)), peer_(over_->peer()), handshake_(std::move(handshake)),
          unsaid_(handshake_->begin()) {
        over_->tell(this);
    }
    ~HandshakeStream() { close(); }
    HandshakeStream(const HandshakeStream&) = delete;
    HandshakeStream& operator=(const HandshakeStream&) = delete;

    void connect(Events& events) {
        events_ = &events;
        opening_ = true;
        later([](HandshakeStream& self) { self.go_on(); });
    }

    void tell(Events* events) noexcept override { events_ = events; }
    void await_readable() override {
        if (broken_ || !rest_.empty()) return later([](HandshakeStream& self) { self.events_->readable(); });
        reads_ = true;
        await(needs_write_ ? &Stream::await_writable : &Stream::await_readable);
    }
    void await_writable() override {
        if (broken_) return later([](HandshakeStream& self) { self.events_->writable(); });
        writes_ = true;
        await(handshake_ && !needs_write_ ? &Stream::await_readable : &Stream::await_writable);
    }
    Transfer read(char* into, std::size_t room) override {
        if (auto not_yet = shake(); not_yet.state != Transfer::moved) return not_yet;
        if (rest_.empty()) return over_->read(into, room);
        const auto size = std::min(room, rest_.size());
        std::memcpy(into, rest_.data(), size);
        rest_.erase(0, size);
        if (rest_.empty()) core::give_back(rest_);
        return {.size = size};
    }
    Transfer write(Octets octets, bool more) override {
        if (auto not_yet = shake(); not_yet.state != Transfer::moved) return not_yet;
        return over_->write(octets, more);
    }
    const std::string& peer() const noexcept override { return peer_; }

    void close() noexcept override { leave(&Stream::close); }
    void finish() noexcept override { leave(&Stream::finish); }
    void reset() noexcept override { leave(&Stream::reset); }

private:
    void leave(void (Stream::*how)() noexcept) noexcept {
        events_ = nullptr;
        if (const auto over = std::exchange(over_, nullptr)) (*over.*how)();
    }

    /// Says and hears what it can. Moved: the handshake is over.
    Transfer shake() {
        while (!broken_ && handshake_) {
            if (!unsaid_.empty()) {
                const auto put = over_->write(unsaid_);
                needs_write_ = put.state == Transfer::blocked;
                if (needs_write_) return put;
                if (put.state == Transfer::failed) return fail(put.error);
                unsaid_.erase(0, put.size);
                continue;
            }
            if (last_) {
                handshake_.reset();
                if (refused_) return fail(*std::exchange(refused_, std::nullopt));
                break;
            }
            std::array<char, 4096> room;
            const auto got = over_->read(room.data(), room.size());
            if (got.state == Transfer::blocked) return got;
            if (got.state == Transfer::failed) return fail(got.error);
            rest_.append(room.data(), got.size);
            auto step = handshake_->hear(rest_);
            rest_.erase(0, step.used);
            unsaid_ = std::move(step.say);
            last_ = step.state != Handshake::Step::more;
            if (step.state == Handshake::Step::failed) refused_ = std::move(step.error);
            if (!last_ && rest_.size() > Handshake::longest)
                return fail(make_error(Errc::connection_lost, peer_ + " sent an answer without an end"));
        }
        if (broken_) return {.state = Transfer::failed, .error = *broken_};
        return {};
    }

    /// The other side may read our last words to their end.
    Transfer fail(Error why) {
        handshake_.reset();
        core::give_back(rest_);
        broken_ = std::move(why);
        if (const auto over = std::exchange(over_, nullptr)) over->finish();
        return {.state = Transfer::failed, .error = *broken_};
    }

    /// A client's, until it is told how it went.
    void go_on() {
        auto result = shake();
        if (result.state == Transfer::blocked)
            return await(needs_write_ ? &Stream::await_writable : &Stream::await_readable);
        opening_ = false;
        if (result.state == Transfer::moved) return events_->opened();
        events_->not_opened(std::move(result.error));
    }

    void await(void (Stream::*what)()) {
        if (!std::exchange(what == &Stream::await_writable ? awaits_write_ : awaits_read_, true)) (*over_.*what)();
    }
    template <class Tell> void later(Tell tell) {
        loop_.post([self = shared_from_this(), tell] {
            if (self->events_) tell(*self);
        });
    }

    void opened() override {}
    void not_opened(Error) override {}
    void readable() override {
        awaits_read_ = false;
        became(reads_);
    }
    void writable() override {
        awaits_write_ = false;
        became(writes_);
    }
    /// While hands are shaken, reading and writing both wait for the same.
    void became(bool& wanted) {
        const auto self = shared_from_this();
        if (!events_) return;
        if (opening_) return go_on();
        const bool shaking = handshake_ != nullptr;
        const bool reads = shaking ? std::exchange(reads_, false) : &wanted == &reads_ && std::exchange(reads_, false);
        const bool writes =
            shaking ? std::exchange(writes_, false) : &wanted == &writes_ && std::exchange(writes_, false);
        if (reads) events_->readable();
        if (writes && events_) events_->writable();
    }

    Loop& loop_;
    std::shared_ptr<Stream> over_;
    const std::string peer_;
    std::unique_ptr<Handshake> handshake_; // null: it is over
    std::string unsaid_;
    std::string rest_; // of what was heard, not used yet; then what came behind the handshake
    std::optional<Error> refused_, broken_;
    Events* events_ = nullptr;
    bool opening_ = false;
    bool last_ = false; // of what there was to hear
    bool needs_write_ = false;
    bool reads_ = false, writes_ = false;             // what was asked for
    bool awaits_read_ = false, awaits_write_ = false; // what the stream below was asked for
};

} // namespace

std::shared_ptr<Stream> shake_hands(Loop& loop, std::shared_ptr<Stream> over, std::unique_ptr<Handshake> handshake,
                                    Stream::Events& events) {
    auto stream = std::make_shared<HandshakeStream>(loop, std::move(over), std::move(handshake));
    stream->connect(events);
    return stream;
}

std::shared_ptr<Stream> answer_hands(Loop& loop, std::shared_ptr<Stream> over, std::unique_ptr<Handshake> handshake) {
    return std::make_shared<HandshakeStream>(loop, std::move(over), std::move(handshake));
}

} // namespace tortoise::io
