#pragma once
/// A client without a mind of its own: says what the test has it say, over a blocking socket.

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <tortoise/core/codec.hpp>
#include <unistd.h>
#include <utility>

namespace tortoise::test {

class RawClient {
public:
    explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to = {};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
    }
    ~RawClient() { close(); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool connected() const { return connected_; }
    /// False: it could not be sent.
    bool send(Octets octets) const {
        while (!octets.empty()) {
            const auto put = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
            if (put <= 0) return false;
            octets.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    }
    bool send(const core::Packet& packet, Version version = Version::v5) const {
        std::string octets;
        return core::encode(version, packet, octets) && send(Octets(octets));
    }
    /// False: the other side takes no more, for a second.
    bool send_some(Octets octets) const {
        while (!octets.empty()) {
            pollfd watched = {socket_, POLLOUT, 0};
            if (::poll(&watched, 1, 1000) != 1) return false;
            const auto put = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (put <= 0) return false;
            octets.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    }
    /// Exactly that many octets; fewer if the connection ends, or too much time passes.
    std::string receive(std::size_t size) const {
        std::string octets;
        char some[4096];
        while (octets.size() < size && readable()) {
            const auto got = ::recv(socket_, some, std::min(sizeof(some), size - octets.size()), 0);
            if (got <= 0) break;
            octets.append(some, static_cast<std::size_t>(got));
        }
        return octets;
    }
    enum class End { in_order, reset, none };
    /// How the connection ends; what comes before is thrown away.
    End end() const {
        char some[4096];
        while (readable()) {
            const auto got = ::recv(socket_, some, sizeof(some), 0);
            if (got == 0) return End::in_order;
            if (got < 0) return End::reset;
        }
        return End::none;
    }
    void close() {
        if (const int socket = std::exchange(socket_, -1); socket >= 0) ::close(socket);
    }

private:
    bool readable() const {
        pollfd watched = {socket_, POLLIN, 0};
        return ::poll(&watched, 1, 20'000) == 1; // far more than anything takes
    }
    int socket_;
    bool connected_ = false;
};

} // namespace tortoise::test
