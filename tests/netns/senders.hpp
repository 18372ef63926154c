#pragma once
/// Durable programs of every kind at the far end of the cable, and a reader beside the broker who sees what arrived.

#include "durable/numbers.hpp"
#include "netns/network.hpp"

#include <map>

namespace tortoise {

/// Reads at QoS 0, beside the broker: what it gets says what the senders brought, and nothing of its own flows. It
/// comes back to its session when the broker does.
class Witness {
public:
    explicit Witness(const std::string& url)
        : connection_({.client_id = "witness",
                       .server = url,
                       .session = {.clean_start = false},
                       .backoff = {.max = std::chrono::milliseconds(100)}}) {
        const auto granted = connection_
                                 .subscribe("numbers/+",
                                            [this](Connection&, const MessageView& m) {
                                                take(std::string(m.topic), std::stol(std::string(m.payload)));
                                            })
                                 .wait(patience);
        if (!granted) throw std::runtime_error(granted.error().describe());
    }
    bool wait_for(const std::string& topic, const std::set<long>& numbers) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] {
            const auto& received = received_[topic];
            if (received.size() < numbers.size()) return false;
            const std::set<long> seen(received.begin(), received.end());
            return std::includes(seen.begin(), seen.end(), numbers.begin(), numbers.end());
        });
    }
    std::vector<long> received(const std::string& topic) {
        std::lock_guard lock(mutex_);
        return received_[topic];
    }

private:
    void take(const std::string& topic, long number) {
        std::lock_guard lock(mutex_);
        received_[topic].push_back(number);
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::vector<long>> received_;
    Connection connection_; // last: its callback uses what stands before
};

/// A durable program; it is asked for numbers, 0, 1, 2, …
class Sender {
public:
    Sender(const Network& network, const std::string& url, const std::string& directory, const Case& kind)
        : network_(network), url_(url), kind_(kind), name_(name_of({kind, 0})),
          store_(directory + "/" + name_ + ".db") {
        start();
    }
    const Case& kind() const { return kind_; }
    const std::string& name() const { return name_; }
    std::string topic() const { return "numbers/" + name_; }

    void ask_for(long more) {
        for (long i = 0; i < more; ++i) process_->write("one more\n");
        asked_ += more;
    }
    /// The last one that was asked for.
    long last() const { return asked_ - 1; }
    bool accepted(long number) { return process_->says("\naccepted " + std::to_string(number) + "\n"); }
    bool delivered(long number) { return process_->says("\ndelivered " + std::to_string(number) + "\n"); }
    bool is_down() { return process_->says("\ndown\n"); }
    bool says(const std::string& text) { return process_->says(text); }
    /// As far as was read of what it said.
    std::set<long> all_accepted() const {
        const auto numbers = numbers_behind("accepted", process_->out());
        return {numbers.begin(), numbers.end()};
    }
    void kill() { process_->crash(); }
    /// A last life, which sends what the one before left.
    test::Ended finish() { return test::run(words({})); }

private:
    test::Words words(std::optional<long> first) const {
        return network_.at_client(sender(url_, store_, kind_, first, {"asked", "lively", "as=" + name_}));
    }
    void start() {
        process_ = std::make_unique<test::Process>(words(0));
        if (!process_->says("up\n")) throw std::runtime_error(name_ + " is not up: " + process_->err());
    }
    const Network& network_;
    const std::string url_;
    const Case kind_;
    const std::string name_, store_;
    std::unique_ptr<test::Process> process_;
    long asked_ = 0;
};

} // namespace tortoise
