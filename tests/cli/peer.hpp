#pragma once
// Peers that are no brokers, on a port of the system's choice.

#include "support/process.hpp"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>

namespace test {

/// Listens; answers each connection with the same octets, and then closes it or says no more.
class Peer {
public:
    enum class Then { closes, stays };

    Peer(std::string answer, Then then) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
            ::pipe2(end_, O_CLOEXEC) != 0)
            throw std::runtime_error("no listener");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answer = std::move(answer), then] { serve(answer, then); });
    }
    ~Peer() {
        [[maybe_unused]] const auto written = ::write(end_[1], "!", 1);
        thread_.join();
        for (const int fd : {listener_, end_[0], end_[1]}) ::close(fd);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    std::string port() const { return std::to_string(port_); }

private:
    bool over(int fd) const { // waits for the socket; true when it is time to end
        pollfd watched[] = {{fd, POLLIN, 0}, {end_[0], POLLIN, 0}};
        ::poll(watched, 2, -1);
        return watched[1].revents != 0;
    }
    void serve(const std::string& answer, Then then) {
        while (!over(listener_)) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            char request[4096];
            if (!over(client)) [[maybe_unused]]
                const auto got = ::read(client, request, sizeof request);
            [[maybe_unused]] const auto sent = ::write(client, answer.data(), answer.size());
            if (then == Then::stays) over(client); // until the other side goes
            ::close(client);
        }
    }

    int listener_ = -1, end_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    std::thread thread_;
};

} // namespace test
