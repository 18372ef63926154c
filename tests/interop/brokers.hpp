#pragma once
// Brokers as processes of their own, on free ports: mosquitto and ejabberd from Debian's packages, and `tortoise
// broker`.

#include "support/process.hpp"
#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>

namespace test {

/// A port that nobody listened on a moment ago. Another may take it before it is used.
inline std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!ok) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

class BrokerProcess {
public:
    virtual ~BrokerProcess() = default;
    std::uint16_t port() const { return port_; }
    std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
    /// Options of a client, of either family, that lead here.
    Words at() const { return {"-h", "127.0.0.1", "-p", std::to_string(port_)}; }

protected:
    std::uint16_t port_ = 0;
};

/// `mosquitto -c CONFIGURATION`. With persistence it can be killed and started again.
class Mosquitto : public BrokerProcess {
public:
    explicit Mosquitto(bool persistence = false) : persistence_(persistence) {
        for (int attempt = 0; attempt < 20; ++attempt) { // a port can be taken between the choice and the start
            port_ = free_port();
            if (try_start()) return;
        }
        throw std::runtime_error("mosquitto does not start: " + process_->err());
    }

    /// kill -9.
    void crash() { process_->crash(); }
    /// Its own end, at which it saves.
    void end() {
        process_->signal(SIGTERM);
        process_->wait();
    }
    /// Again, on the same port, with what it saved.
    void restart() {
        if (!try_start()) throw std::runtime_error("mosquitto does not start again: " + process_->err());
    }
    /// Makes it save sessions and messages now.
    void save() {
        const auto saved = directory_.path() + "/mosquitto.db";
        std::filesystem::remove(saved);
        process_->signal(SIGUSR1);
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!std::filesystem::exists(saved)) { // it is moved there when it is complete
            if (std::chrono::steady_clock::now() > until) throw std::runtime_error("mosquitto does not save");
            ::poll(nullptr, 0, 1);
        }
    }

private:
    bool try_start() {
        std::string text =
            "listener " + std::to_string(port_) +
            " 127.0.0.1\nallow_anonymous true\nuser root\n"
            // Beyond its bound it drops what it has acknowledged, in silence: readers are slow now and then.
            "max_queued_messages 1000000\n"
            "set_tcp_nodelay true\nconnection_messages false\nlog_dest stderr\n"
            "log_type error\nlog_type warning\nlog_type information\n";
        if (persistence_) text += "persistence true\npersistence_location " + directory_.path() + "/\n";
        process_ =
            std::make_unique<Process>(Words{"/usr/sbin/mosquitto", "-c", directory_.file("mosquitto.conf", text)});
        return process_->says(" running");
    }

    const bool persistence_;
    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
};

/// mosquitto with a listener of one's own, "listener PORT 127.0.0.1" and the lines behind it; PORT stands for a port
/// that is free.
class ConfiguredMosquitto : public BrokerProcess {
public:
    ConfiguredMosquitto(const std::string& listener, const std::string& more) {
        for (int attempt = 0; attempt < 20; ++attempt) {
            port_ = free_port();
            auto line = listener;
            if (const auto at = line.find("PORT"); at != std::string::npos) line.replace(at, 4, std::to_string(port_));
            const auto text = line + "\nallow_anonymous true\nuser root\nlog_dest stderr\n" + more;
            process_ =
                std::make_unique<Process>(Words{"/usr/sbin/mosquitto", "-c", directory_.file("mosquitto.conf", text)});
            if (process_->says(" running")) return;
        }
        throw std::runtime_error("mosquitto does not start: " + process_->err());
    }

private:
    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
};

/// Does somebody listen on that port of 127.0.0.1?
inline bool listens_on(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
}

/// ejabberd, which is a broker too: MQTT 3.1.1 and 5, also over WebSocket, for clients with any user name and password.
class Ejabberd : public BrokerProcess {
public:
    Ejabberd() {
        for (int attempt = 0; attempt < 5; ++attempt) {
            port_ = free_port();
            web_port_ = free_port();
            if (try_start()) return;
        }
        throw std::runtime_error("ejabberd does not start: " + process_->err());
    }
    std::string websocket_url(const std::string& path = "/mqtt") const {
        return "ws://127.0.0.1:" + std::to_string(web_port_) + path;
    }

private:
    bool try_start() {
        const std::string text = "hosts: [localhost]\nloglevel: warning\nlisten:\n  - {port: " + std::to_string(port_) +
                                 ", ip: \"127.0.0.1\", module: mod_mqtt}\n  - {port: " + std::to_string(web_port_) +
                                 ", ip: \"127.0.0.1\", module: ejabberd_http, request_handlers: {/mqtt: mod_mqtt}}\n"
                                 "auth_method: [anonymous]\nanonymous_protocol: login_anon\n"
                                 "modules:\n  mod_mqtt:\n    access_publish: {\"#\": [allow: all]}\n"
                                 "    access_subscribe: {\"#\": [allow: all]}\n";
        const auto& home = directory_.path();
        // Without a node name it needs no port mapper; one scheduler that sleeps when there is nothing to do is enough.
        process_ = std::make_unique<Process>(Words{
            "env", "HOME=" + home, "EJABBERD_CONFIG_PATH=" + directory_.file("ejabberd.yml", text),
            "EJABBERD_LOG_PATH=" + home + "/ejabberd.log", "ERL_LIBS=" + libraries(), "ERL_CRASH_DUMP_BYTES=0", "erl",
            "+S", "1:1", "+sbwt", "none", "-noinput", "-mnesia", "dir", '"' + home + "/db\"", "-s", "ejabberd"});
        const auto until = std::chrono::steady_clock::now() + 4 * patience;
        while (!listens_on(port_) || !listens_on(web_port_)) {
            if (process_->has_ended() || std::chrono::steady_clock::now() > until) return false;
            ::poll(nullptr, 0, 20);
        }
        return true;
    }

    /// Where its library is, with its version in the name: /usr/lib/ARCHITECTURE.
    static std::string libraries() {
        for (const auto& architecture : std::filesystem::directory_iterator("/usr/lib")) {
            if (!architecture.is_directory() || architecture.is_symlink()) continue;
            std::error_code unreadable;
            for (const auto& entry : std::filesystem::directory_iterator(architecture, unreadable))
                if (std::filesystem::exists(entry.path() / "ebin/ejabberd.app")) return architecture.path();
        }
        throw std::runtime_error("ejabberd is not installed: scripts/bootstrap");
    }

    std::uint16_t web_port_ = 0;
    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
};

class TortoiseBroker : public BrokerProcess {
public:
    explicit TortoiseBroker(const Words& more = {})
        : process_(Words{TORTOISE_PROGRAM, "broker", "--port", "0"} + more) {
        if (!process_.says("listening on"))
            throw std::runtime_error("tortoise broker does not start: " + process_.err());
        const auto& line = process_.out();
        port_ = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
    }

private:
    Process process_;
};

} // namespace test
