#include "io/custom.hpp"
#include <atomic>
#include <exception>
#include <optional>
#include <utility>

namespace tortoise {

/// Between a transport, on whatever threads it lives, and its stream, which lives on the loop.
class TransportEvents::Target {
public:
    class Stream {
    public:
        virtual void transport_opened() = 0;
        virtual void transport_failed(Error) = 0;
        virtual void transport_readable() = 0;
        virtual void transport_writable() = 0;

    protected:
        ~Stream() = default;
    };

    Target(io::Loop& loop, Stream& stream) : loop_(loop.weak_from_this()), stream_(&stream) {}
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    /// From any thread.
    template <class Tell> void tell(Tell tell) {
        const auto loop = loop_.lock();
        if (!loop || closed_.load(std::memory_order_acquire)) return;
        loop->post([self = detail::Ref<Target>::share(this), tell = std::move(tell)]() mutable {
            if (self->stream_) tell(*self->stream_);
        });
    }
    /// Of the loop's thread.
    void close() noexcept {
        closed_.store(true, std::memory_order_release);
        stream_ = nullptr;
    }

private:
    std::atomic<int> references_{1};
    std::atomic<bool> closed_{false};
    const std::weak_ptr<io::Loop> loop_; // what is posted to it and never run must not keep it
    Stream* stream_;                     // of the loop's thread
};

TransportEvents::TransportEvents() noexcept = default;
TransportEvents::TransportEvents(detail::Ref<Target> target) noexcept : target_(std::move(target)) {}
TransportEvents::TransportEvents(const TransportEvents&) noexcept = default;
TransportEvents::TransportEvents(TransportEvents&&) noexcept = default;
TransportEvents& TransportEvents::operator=(TransportEvents other) noexcept {
    std::swap(target_, other.target_);
    return *this;
}
TransportEvents::~TransportEvents() = default;

void TransportEvents::opened() const {
    if (target_) target_->tell([](Target::Stream& s) { s.transport_opened(); });
}
void TransportEvents::failed(Error why) const {
    if (target_)
        target_->tell([why = std::move(why)](Target::Stream& s) mutable { s.transport_failed(std::move(why)); });
}
void TransportEvents::readable() const {
    if (target_) target_->tell([](Target::Stream& s) { s.transport_readable(); });
}
void TransportEvents::writable() const {
    if (target_) target_->tell([](Target::Stream& s) { s.transport_writable(); });
}

namespace io {

namespace {

Error what_it_threw() {
    try {
        throw;
    } catch (const std::exception& e) {
        return make_error(Errc::handler_threw, std::string("the transport threw: ") + e.what());
    } catch (...) {
        return make_error(Errc::handler_threw, "the transport threw something that is not a std::exception");
    }
}

class CustomStream final : public Stream,
                           TransportEvents::Target::Stream,
                           public std::enable_shared_from_this<CustomStream> {
public:
    using Events = io::Stream::Events;

    CustomStream(Loop& loop, std::string peer)
        : loop_(loop), peer_(std::move(peer)),
          target_(detail::Ref<TransportEvents::Target>::adopt(new TransportEvents::Target(loop, *this))) {}
    ~CustomStream() { close(); }
    CustomStream(const CustomStream&) = delete;
    CustomStream& operator=(const CustomStream&) = delete;

    void open(const TransportFactory& factory, std::string_view server, Events& events) {
        events_ = &events;
        try {
            transport_.reset(factory());
            if (transport_)
                transport_->open(server, TransportEvents(target_));
            else
                failure_ = make_error(Errc::invalid_option, "the transport's factory returned null");
        } catch (...) {
            failure_ = what_it_threw();
        }
        if (failure_) later([](CustomStream& self) { self.transport_failed(*self.failure_); });
    }

    void tell(Events* events) noexcept override { events_ = events; }
    const std::string& peer() const noexcept override { return peer_; }

    void await_readable() override {
        reads_ = true;
        if (may_read_ || failure_) later([](CustomStream& self) { self.transport_readable(); });
    }
    void await_writable() override {
        writes_ = true;
        if (may_write_ || failure_) later([](CustomStream& self) { self.transport_writable(); });
    }
    Transfer read(char* into, std::size_t room) override {
        return moved([&] { return transport_->read({into, room}); }, room, may_read_);
    }
    Transfer write(Octets octets, bool) override {
        return moved([&] { return transport_->write(octets); }, octets.size(), may_write_);
    }

    void close() noexcept override {
        events_ = nullptr;
        target_->close();
        if (const auto transport = std::exchange(transport_, nullptr)) transport->close();
    }
    void finish() noexcept override { close(); }

private:
    template <class Tell> void later(Tell tell) {
        loop_.post([self = shared_from_this(), tell] {
            if (self->events_) tell(*self);
        });
    }

    template <class Move> Transfer moved(Move move, std::size_t most, bool& may) {
        if (!transport_ && !failure_) failure_ = make_error(Errc::connection_lost, peer_ + " was closed");
        if (failure_) return {.state = Transfer::failed, .error = *failure_};
        try {
            auto result = move();
            may = result.octets > 0;
            if (result.octets > most) {
                failure_ = make_error(Errc::handler_threw, "the transport moved more octets than it was given");
            } else if (result.octets > 0) {
                return {.size = result.octets}; // if it ended too, it says so again
            } else if (result.ended) {
                failure_ = std::move(result.why);
                if (!failure_->code) *failure_ = make_error(Errc::connection_lost, peer_ + " closed the connection");
            }
        } catch (...) {
            failure_ = what_it_threw();
        }
        if (failure_) return {.state = Transfer::failed, .error = *failure_};
        return {.state = Transfer::blocked};
    }

    void transport_opened() override {
        if (std::exchange(opened_, true)) return;
        if (events_) events_->opened();
    }
    void transport_failed(Error why) override {
        if (!why.code) why.code = Errc::connection_lost;
        failure_ = std::move(why);
        const auto self = shared_from_this();
        if (!events_) return;
        if (!opened_) return events_->not_opened(*failure_);
        transport_readable(); // and there it is
    }
    void transport_readable() override {
        may_read_ = true;
        if (events_ && std::exchange(reads_, false)) events_->readable();
    }
    void transport_writable() override {
        may_write_ = true;
        if (events_ && std::exchange(writes_, false)) events_->writable();
    }

    Loop& loop_;
    const std::string peer_;
    const detail::Ref<TransportEvents::Target> target_;
    std::unique_ptr<Transport> transport_;
    Events* events_ = nullptr;
    std::optional<Error> failure_;
    bool opened_ = false;
    bool may_read_ = true, may_write_ = true; // it has not said otherwise
    bool reads_ = false, writes_ = false;     // what was asked for
};

} // namespace

std::shared_ptr<Stream> open_custom(Loop& loop, const TransportFactory& factory, std::string_view server,
                                    std::string peer, Stream::Events& events) {
    auto stream = std::make_shared<CustomStream>(loop, std::move(peer));
    stream->open(factory, server, events);
    return stream;
}

} // namespace io
} // namespace tortoise
