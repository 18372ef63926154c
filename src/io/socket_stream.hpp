#pragma once
/// Sockets of any kind that Asio has, as streams and acceptors. For the .cpp files of the kinds.

#include "io/asio_loop.hpp"
#include "io/stream.hpp"
#include "io/tcp.hpp"
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <sys/socket.h>

namespace tortoise::io {

using SocketError = boost::system::error_code;

inline std::string words(int code) { return std::system_category().message(code); }

/// `Kind` is one of Asio's protocols: where it connects to is a Kind::endpoint.
template <class Kind>
class SocketStream final : public Stream, public std::enable_shared_from_this<SocketStream<Kind>> {
public:
    using Socket = typename Kind::socket;
    /// Called once, when it is open.
    using Prepare = void (*)(Socket&);

    SocketStream(Socket socket, std::string peer, Prepare p)
        : socket_(std::move(socket)), peer_(std::move(peer)), prepare_(p) {}

    void connect(const typename Kind::endpoint& to) {
        socket_.async_connect(to, [self = this->shared_from_this()](const SocketError& error) {
            if (!self->events_) return;
            if (error) return self->events_->not_opened(connect_error(error.value(), self->peer_));
            self->prepare();
            self->events_->opened();
        });
    }

    void prepare() {
        SocketError ignored;
        socket_.non_blocking(true, ignored);
        prepare_(socket_);
    }

    void tell(Stream::Events* events) noexcept override { events_ = events; }

    void await_readable() override {
        socket_.async_wait(Socket::wait_read, [self = this->shared_from_this()](const SocketError&) {
            if (self->events_) self->events_->readable();
        });
    }
    void await_writable() override {
        socket_.async_wait(Socket::wait_write, [self = this->shared_from_this()](const SocketError&) {
            if (self->events_) self->events_->writable();
        });
    }

    Transfer read(char* into, std::size_t room) override {
        const auto got = retried([&] { return ::recv(socket_.native_handle(), into, room, 0); });
        if (got > 0) return {.size = static_cast<std::size_t>(got)};
        if (got == 0) return {.state = Transfer::failed, .error = lost(peer_ + " closed the connection")};
        return failure(errno);
    }
    Transfer write(Octets octets, bool more) override {
        const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
        const auto put = retried([&] { return ::send(socket_.native_handle(), octets.data(), octets.size(), flags); });
        if (put >= 0) return {.size = static_cast<std::size_t>(put)};
        return failure(errno);
    }

    const std::string& peer() const noexcept override { return peer_; }

    void close() noexcept override {
        events_ = nullptr;
        SocketError ignored;
        socket_.close(ignored);
    }

    // A socket that is closed with unread octets in it sends a reset, which can destroy what the other side has not
    // read yet.
    void finish() noexcept override {
        events_ = nullptr;
        SocketError error;
        socket_.shutdown(Socket::shutdown_send, error);
        if (error) return close();
        limit_ = std::make_unique<boost::asio::steady_timer>(socket_.get_executor(), std::chrono::seconds(1));
        limit_->async_wait([self = this->shared_from_this()](const SocketError& cancelled) {
            if (!cancelled) self->close();
        });
        discard();
    }

    // Without lingering, a TCP socket is closed by a reset.
    void reset() noexcept override {
        SocketError ignored;
        socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        close();
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
        socket_.async_wait(Socket::wait_read, [self = this->shared_from_this()](const SocketError& error) {
            char junk[4096];
            if (!error && self->read(junk, sizeof(junk)).state != Transfer::failed) return self->discard();
            self->limit_->cancel();
            self->close();
        });
    }

    static Error connect_error(int code, const std::string& peer) {
        const std::error_code ec(code, std::system_category());
        if (code == ECONNREFUSED) return {ec, "connection refused by " + peer};
        return {ec, "cannot connect to " + peer + ": " + words(code)};
    }
    static Error lost(std::string text) { return make_error(Errc::connection_lost, std::move(text)); }

    Socket socket_;
    std::unique_ptr<boost::asio::steady_timer> limit_; // of finish()
    std::string peer_;
    Prepare prepare_;
    Stream::Events* events_ = nullptr;
};

/// `welcome` makes a stream of a connected socket; null if it is gone already.
template <class Kind> class SocketAcceptor final : public Acceptor {
public:
    using Socket = typename Kind::socket;
    using Welcome = std::shared_ptr<Stream> (*)(Socket);

    SocketAcceptor(typename Kind::acceptor acceptor, std::uint16_t port, Welcome welcome,
                   Fn<void(std::shared_ptr<Stream>)> accepted)
        : state_(std::make_shared<State>(std::move(acceptor), welcome, std::move(accepted))), port_(port) {
        state_->next();
    }
    ~SocketAcceptor() override {
        SocketError ignored;
        state_->closed = true;
        state_->acceptor.close(ignored);
        state_->pause.cancel();
    }
    std::uint16_t port() const noexcept override { return port_; }

private:
    struct State : std::enable_shared_from_this<State> {
        State(typename Kind::acceptor a, Welcome w, Fn<void(std::shared_ptr<Stream>)> f)
            : acceptor(std::move(a)), pause(acceptor.get_executor()), welcome(w), accepted(std::move(f)) {}

        void next() {
            acceptor.async_accept([self = this->shared_from_this()](const SocketError& error, Socket socket) {
                if (self->closed) return;
                if (error) return self->later();
                if (auto stream = self->welcome(std::move(socket))) self->accepted(std::move(stream));
                if (!self->closed) self->next();
            });
        }
        // Out of descriptors, most likely: trying at once would spin.
        void later() {
            pause.expires_after(std::chrono::milliseconds(100));
            pause.async_wait([self = this->shared_from_this()](const SocketError&) {
                if (!self->closed) self->next();
            });
        }

        typename Kind::acceptor acceptor;
        boost::asio::steady_timer pause;
        const Welcome welcome;
        Fn<void(std::shared_ptr<Stream>)> accepted;
        bool closed = false;
    };
    std::shared_ptr<State> state_;
    const std::uint16_t port_;
};

/// A socket that listens there.
template <class Kind>
SocketError listen(typename Kind::acceptor& acceptor, const typename Kind::endpoint& at, bool reuse_address) {
    SocketError error;
    acceptor.open(at.protocol(), error);
    if (!error && reuse_address) acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(at, error);
    if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
    return error;
}

} // namespace tortoise::io
