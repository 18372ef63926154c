#pragma once
// Proxies as processes of their own, on free ports, from Debian's packages. Both want a user and a password.

#include "interop/brokers.hpp"
#include "support/process.hpp"
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace test {

class ProxyProcess {
public:
    std::uint16_t port() const { return port_; }

protected:
    /// `start` starts it on port_.
    template <class Start> void choose_port(Start start) {
        for (int attempt = 0; attempt < 20; ++attempt) { // a port can be taken between the choice and the start
            port_ = free_port();
            process_ = std::make_unique<Process>(start());
            const auto until = std::chrono::steady_clock::now() + patience;
            while (!process_->has_ended() && std::chrono::steady_clock::now() < until) {
                if (listens_on(port_)) return;
                ::poll(nullptr, 0, 5);
            }
        }
        throw std::runtime_error("the proxy does not start: " + process_->err());
    }
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_;
};

/// HTTP's CONNECT, to any port.
class Tinyproxy : public ProxyProcess {
public:
    Tinyproxy(const std::string& user, const std::string& password) {
        choose_port([&] {
            const auto text = "Port " + std::to_string(port_) +
                              "\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nBasicAuth " + user + " " + password +
                              "\nMaxClients 50\nLogLevel Critical\n";
            return Words{"tinyproxy", "-d", "-c", directory_.file("tinyproxy.conf", text)};
        });
    }

private:
    TemporaryDirectory directory_;
};

/// SOCKS 5.
class Microsocks : public ProxyProcess {
public:
    Microsocks(const std::string& user, const std::string& password) {
        choose_port([&] {
            return Words{"microsocks", "-i", "127.0.0.1", "-p", std::to_string(port_), "-u", user, "-P", password};
        });
    }
};

} // namespace test
