#pragma once
/// Two network namespaces and a cable between them, with mosquitto in one. Everything goes with its owner.

#include "support/process.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace tortoise {

inline void must(const test::Words& command) {
    const auto ended = test::run(command);
    if (ended.code != 0) throw std::runtime_error(command[0] + " " + command[1] + ": " + ended.err);
}

class Network {
public:
    Network() {
        for (const auto& space : {broker_, client_}) must({"ip", "netns", "add", space});
        must({"ip", "link", "add", "cable", "netns", broker_, "type", "veth", "peer", "name", "cable", "netns",
              client_});
        must({"ip", "-n", broker_, "address", "add", std::string(broker_address) + "/24", "dev", "cable"});
        must({"ip", "-n", client_, "address", "add", "10.0.0.2/24", "dev", "cable"});
        for (const auto& space : {broker_, client_}) must({"ip", "-n", space, "link", "set", "cable", "up"});
    }
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    ~Network() {
        for (const auto& space : {broker_, client_}) test::run({"ip", "netns", "del", space});
    }

    static constexpr const char* broker_address = "10.0.0.1";
    /// The words of a program there; it ends with this process, however that ends.
    test::Words at_broker(const test::Words& program) const { return in(broker_, program); }
    test::Words at_client(const test::Words& program) const { return in(client_, program); }

    /// The cable is pulled, and put back, at the broker's end.
    void cut() const { must({"ip", "-n", broker_, "link", "set", "cable", "down"}); }
    void mend() const { must({"ip", "-n", broker_, "link", "set", "cable", "up"}); }
    /// From now on the client has this address, and no other.
    void move_client(const std::string& address) const {
        must({"ip", "-n", client_, "address", "flush", "dev", "cable"});
        must({"ip", "-n", client_, "address", "add", address + "/24", "dev", "cable"});
    }
    /// Drops without a word what comes in to the client ("input"), or goes out of it ("output").
    void block(const std::string& direction) const {
        const auto nft = at_client({"nft"});
        must(nft + test::Words{"add", "table", "ip", "fault"});
        must(nft + test::Words{"add", "chain", "ip", "fault", "way",
                               "{ type filter hook " + direction + " priority 0; policy drop; }"});
    }
    void unblock() const { must(at_client({"nft", "delete", "table", "ip", "fault"})); }

private:
    static test::Words in(const std::string& space, const test::Words& program) {
        return test::Words{"setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", space} + program;
    }
    const std::string own_ = "tortoise-" + std::to_string(::getpid());
    const std::string broker_ = own_ + "-broker", client_ = own_ + "-client";
};

/// For the client's namespace on a TCP port, and for readers of ours, who must not be cut off, on a Unix socket. What
/// it is killed with is what it had at the last save().
class DistantMosquitto {
public:
    explicit DistantMosquitto(const Network& network) : network_(network) { start(); }

    std::string url() const { return std::string("mqtt://") + Network::broker_address + ":1883"; }
    std::string local_url() const { return "unix://" + directory_.path() + "/socket"; }
    bool says(const std::string& text) { return process_->says(text); }
    void kill() { process_->crash(); }
    void start() {
        const std::string text = std::string("listener 1883 ") + Network::broker_address + "\nlistener 0 " +
                                 directory_.path() +
                                 "/socket\nallow_anonymous true\nuser root\nset_tcp_nodelay true\n"
                                 "max_queued_messages 0\nqueue_qos0_messages true\npersistence true\n"
                                 "autosave_interval 0\npersistence_location " +
                                 directory_.path() +
                                 "/\nlog_dest stderr\nlog_type error\nlog_type warning\nlog_type notice\n"
                                 "log_type information\n";
        process_ = std::make_unique<test::Process>(
            network_.at_broker({"mosquitto", "-c", directory_.file("mosquitto.conf", text)}));
        if (!process_->says(" running")) throw std::runtime_error("mosquitto does not start: " + process_->err());
    }
    void halt() { process_->halt(); }
    void go_on() { process_->signal(SIGCONT); }
    /// Makes it save sessions and messages now.
    void save() {
        const auto saved = directory_.path() + "/mosquitto.db";
        std::filesystem::remove(saved);
        process_->signal(SIGUSR1);
        const auto until = std::chrono::steady_clock::now() + test::patience;
        while (!std::filesystem::exists(saved)) { // it is moved there when it is complete
            if (std::chrono::steady_clock::now() > until) throw std::runtime_error("mosquitto does not save");
            ::poll(nullptr, 0, 1);
        }
    }

private:
    const Network& network_;
    test::TemporaryDirectory directory_;
    std::unique_ptr<test::Process> process_;
};

} // namespace tortoise
