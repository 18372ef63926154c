#pragma once
/// Servers that are no brokers: they say one thing, or nothing, whatever is said to them.

#include <arpa/inet.h>
#include <atomic>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <tortoise/types.hpp>
#include <unistd.h>
#include <vector>

namespace tortoise::test {

/// A TCP socket that listens on a free port of 127.0.0.1 and accepts nothing.
class Listening {
public:
    explicit Listening(int backlog = 16) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address_);
        if (::bind(socket_, reinterpret_cast<sockaddr*>(&address_), size) != 0) std::abort();
        if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &size) != 0) std::abort();
        if (::listen(socket_, backlog) != 0) std::abort();
    }
    ~Listening() { ::close(socket_); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

    int socket() const { return socket_; }
    const sockaddr_in& address() const { return address_; }
    std::string name() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }
    std::string url() const { return "mqtt://" + name(); }

private:
    int socket_;
    sockaddr_in address_ = {};
};

/// Its queue of connections is full: who connects gets no answer, not even a refusal.
class BlackHole {
public:
    BlackHole() : listening_(0) {
        for (int i = 0; i < 4; ++i) {
            const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            const auto& to = listening_.address();
            static_cast<void>(::connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof(to)));
            fillers_.push_back(s);
        }
    }
    ~BlackHole() {
        for (const int s : fillers_) ::close(s);
    }
    std::string url() const { return listening_.url(); }

private:
    Listening listening_;
    std::vector<int> fillers_;
};

/// Accepts, waits for the first octets, says something, closes.
class PlainServer {
public:
    enum class Manner { answers, closes_at_once };
    explicit PlainServer(Manner manner, std::string answer = {})
        : thread_([this, manner, answer = std::move(answer)] { serve(manner, answer); }) {}
    ~PlainServer() {
        stopping_ = true;
        ::shutdown(listening_.socket(), SHUT_RDWR); // ends the accept
        thread_.join();
    }
    std::string url() const { return listening_.url(); }
    std::string name() const { return listening_.name(); }
    /// The first octets of the last one that it answered.
    std::string heard() const {
        std::lock_guard lock(mutex_);
        return heard_;
    }

private:
    void serve(Manner manner, const std::string& answer) {
        while (true) {
            const int s = ::accept4(listening_.socket(), nullptr, nullptr, SOCK_CLOEXEC);
            if (s < 0 || stopping_) {
                if (s >= 0) ::close(s);
                return;
            }
            if (manner == Manner::answers) {
                char buffer[1024];
                const auto got = ::recv(s, buffer, sizeof(buffer), 0);
                {
                    std::lock_guard lock(mutex_);
                    heard_.assign(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
                }
                static_cast<void>(::send(s, answer.data(), answer.size(), MSG_NOSIGNAL));
            }
            ::close(s);
        }
    }
    Listening listening_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::string heard_; // guarded by mutex_
    std::thread thread_;
};

/// One that accepts the client.
inline std::string connack(Version version) {
    return version == Version::v5 ? std::string("\x20\x03\x00\x00\x00", 5) : std::string("\x20\x02\x00\x00", 4);
}

/// Accepts one, says something once it has heard something, and reads no more: the sockets' buffers fill.
class DeafServer {
public:
    explicit DeafServer(std::string answer) : thread_([this, answer = std::move(answer)] { serve(answer); }) {}
    ~DeafServer() {
        ::shutdown(listening_.socket(), SHUT_RDWR); // ends the accept
        thread_.join();
        if (peer_ >= 0) ::close(peer_);
    }
    std::string url() const { return listening_.url(); }

private:
    void serve(const std::string& answer) {
        peer_ = ::accept4(listening_.socket(), nullptr, nullptr, SOCK_CLOEXEC);
        if (peer_ < 0) return;
        char buffer[1024];
        static_cast<void>(::recv(peer_, buffer, sizeof(buffer), 0));
        static_cast<void>(::send(peer_, answer.data(), answer.size(), MSG_NOSIGNAL));
    }
    Listening listening_;
    int peer_ = -1;
    std::thread thread_;
};

} // namespace tortoise::test
