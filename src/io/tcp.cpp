#include "io/tcp.hpp"
#include "io/asio_loop.hpp"
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace tortoise::io {

namespace {

using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr auto finish_limit = std::chrono::seconds(1);
constexpr auto accept_pause = std::chrono::milliseconds(100);

tcp::endpoint endpoint(const Address& address) {
    tcp::endpoint result;
    result.resize(address.size());
    std::memcpy(result.data(), address.data(), address.size());
    return result;
}

Address address_of(const tcp::endpoint& from) { return {from.data(), static_cast<socklen_t>(from.size())}; }

std::string words(int code) { return std::system_category().message(code); }

Error connect_error(int code, const std::string& peer) {
    const std::error_code ec(code, std::system_category());
    if (code == ECONNREFUSED) return {ec, "connection refused by " + peer};
    return {ec, "cannot connect to " + peer + ": " + words(code)};
}

Error lost(std::string text) { return make_error(Errc::connection_lost, std::move(text)); }

class TcpStream final : public Stream, public std::enable_shared_from_this<TcpStream> {
public:
    TcpStream(tcp::socket socket, std::string peer) : socket_(std::move(socket)), peer_(std::move(peer)) {}

    void connect(const Address& to) {
        socket_.async_connect(endpoint(to), [self = shared_from_this()](const ErrorCode& error) {
            if (!self->events_) return;
            if (error) return self->events_->not_opened(connect_error(error.value(), self->peer_));
            self->prepare();
            self->events_->opened();
        });
    }

    void prepare() {
        ErrorCode ignored;
        socket_.non_blocking(true, ignored);
        socket_.set_option(tcp::no_delay(true), ignored);
    }

    void tell(Events* events) noexcept override { events_ = events; }

    void await_readable() override {
        socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode&) {
            if (self->events_) self->events_->readable();
        });
    }
    void await_writable() override {
        socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const ErrorCode&) {
            if (self->events_) self->events_->writable();
        });
    }

    Transfer read(char* into, std::size_t room) override {
        const auto got = retried([&] { return ::recv(socket_.native_handle(), into, room, 0); });
        if (got > 0) return {.size = static_cast<std::size_t>(got)};
        if (got == 0) return {.state = Transfer::failed, .error = lost(peer_ + " closed the connection")};
        return failure(errno);
    }
    Transfer write(Octets octets) override {
        const auto put =
            retried([&] { return ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_NOSIGNAL); });
        if (put >= 0) return {.size = static_cast<std::size_t>(put)};
        return failure(errno);
    }

    const std::string& peer() const noexcept override { return peer_; }

    void close() noexcept override {
        events_ = nullptr;
        ErrorCode ignored;
        socket_.close(ignored);
    }

    // A socket that is closed with unread octets in it sends a reset, which can destroy what the other side has not
    // read yet.
    void finish() noexcept override {
        events_ = nullptr;
        ErrorCode error;
        socket_.shutdown(tcp::socket::shutdown_send, error);
        if (error) return close();
        limit_.expires_after(finish_limit);
        limit_.async_wait([self = shared_from_this()](const ErrorCode& cancelled) {
            if (!cancelled) self->close();
        });
        discard();
    }

private:
    template <class Call> static ssize_t retried(Call call) {
        ssize_t result = 0;
        do result = call();
        while (result < 0 && errno == EINTR);
        return result;
    }

    Transfer failure(int code) const {
        if (code == EAGAIN || code == EWOULDBLOCK) return {.state = Transfer::blocked};
        return {.state = Transfer::failed, .error = lost("connection to " + peer_ + " lost: " + words(code))};
    }

    void discard() {
        socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
            char junk[4096];
            if (!error && self->read(junk, sizeof(junk)).state != Transfer::failed) return self->discard();
            self->limit_.cancel();
            self->close();
        });
    }

    tcp::socket socket_;
    boost::asio::steady_timer limit_{socket_.get_executor()};
    std::string peer_;
    Events* events_ = nullptr;
};

class TcpAcceptor final : public Acceptor {
public:
    TcpAcceptor(tcp::acceptor acceptor, Fn<void(std::shared_ptr<Stream>)> accepted)
        : state_(std::make_shared<State>(std::move(acceptor), std::move(accepted))) {
        state_->next();
    }
    ~TcpAcceptor() override {
        ErrorCode ignored;
        state_->closed = true;
        state_->acceptor.close(ignored);
        state_->pause.cancel();
    }
    std::uint16_t port() const noexcept override {
        ErrorCode ignored;
        return state_->acceptor.local_endpoint(ignored).port();
    }

private:
    struct State : std::enable_shared_from_this<State> {
        State(tcp::acceptor a, Fn<void(std::shared_ptr<Stream>)> f)
            : acceptor(std::move(a)), pause(acceptor.get_executor()), accepted(std::move(f)) {}

        void next() {
            acceptor.async_accept([self = shared_from_this()](const ErrorCode& error, tcp::socket socket) {
                if (self->closed) return;
                if (error) return self->later();
                self->welcome(std::move(socket));
                if (!self->closed) self->next();
            });
        }
        void welcome(tcp::socket socket) {
            ErrorCode gone;
            const auto peer = socket.remote_endpoint(gone);
            if (gone) return;
            auto stream = std::make_shared<TcpStream>(std::move(socket), address_of(peer).to_string());
            stream->prepare();
            accepted(std::move(stream));
        }
        // Out of descriptors, most likely: trying at once would spin.
        void later() {
            pause.expires_after(accept_pause);
            pause.async_wait([self = shared_from_this()](const ErrorCode&) {
                if (!self->closed) self->next();
            });
        }

        tcp::acceptor acceptor;
        boost::asio::steady_timer pause;
        Fn<void(std::shared_ptr<Stream>)> accepted;
        bool closed = false;
    };
    std::shared_ptr<State> state_;
};

} // namespace

std::shared_ptr<Stream> connect_tcp(Loop& loop, const Address& to, Stream::Events& events) {
    auto stream = std::make_shared<TcpStream>(tcp::socket(AsioLoop::of(loop).context()), to.to_string());
    stream->tell(&events);
    stream->connect(to);
    return stream;
}

Result<std::shared_ptr<Acceptor>> listen_tcp(Loop& loop, const Address& at,
                                             Fn<void(std::shared_ptr<Stream>)> accepted) {
    tcp::acceptor acceptor(AsioLoop::of(loop).context());
    const auto where = endpoint(at);
    ErrorCode error;
    acceptor.open(where.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(where, error);
    if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
    if (error) {
        return Error{std::error_code(error.value(), std::system_category()),
                     "cannot listen on " + at.to_string() + ": " + words(error.value())};
    }
    return std::shared_ptr<Acceptor>(std::make_shared<TcpAcceptor>(std::move(acceptor), std::move(accepted)));
}

} // namespace tortoise::io
