#pragma once
/// A small world for a scenario: a broker, named clients, a network that does only what it is told to, and the list of
/// what each side saw.

#include "sim/world.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace tortoise::sim {

using namespace std::chrono_literals;

class Scenario {
public:
    explicit Scenario(testing::BrokerOptions broker = {}, std::uint64_t seed = 1)
        : judge_(Judge::Log::keep_all), world(seed, std::move(broker), judge_) {
        world.on_event = [this](std::uint32_t client, const core::Event& event) {
            events_.resize(std::max<std::size_t>(events_.size(), client + 1));
            if (!std::holds_alternative<core::FilterChanged>(event)) events_[client].push_back(describe(event));
        };
    }
    ~Scenario() { EXPECT_EQ(judge_.failure(), "") << story(); }

    /// Options without randomness in the way; the session is kept.
    static core::EngineOptions plain(std::string client_id, Version version = Version::v5) {
        core::EngineOptions options;
        options.version = version;
        options.client_id = std::move(client_id);
        options.session.clean_start = false;
        options.backoff = {.min = 1s, .max = 1s, .stable_after = 30s};
        options.keep_alive = 0s;
        options.topic_aliases = TopicAliases::off;
        return options;
    }
    std::uint32_t add(core::EngineOptions options) {
        const auto client = world.add_client({.engine = std::move(options)});
        world.start(client);
        world.run_for(100ms);
        return client;
    }

    /// What a client's engine told its user since the last time, FilterChanged left out.
    std::vector<std::string> events(std::uint32_t client) {
        events_.resize(std::max<std::size_t>(events_.size(), client + 1));
        return std::exchange(events_[client], {});
    }
    /// The packets on the wire between the broker and a client since the last time: "-> CONNECT …", "<- CONNACK …".
    std::vector<std::string> packets(std::uint32_t client) {
        std::vector<std::string> found;
        read_.resize(std::max<std::size_t>(read_.size(), client + 1), 0);
        const std::string mark = "client " + std::to_string(client) + " ";
        for (; read_[client] < judge_.lines().size(); ++read_[client]) {
            const std::string& line = judge_.lines()[read_[client]];
            const auto at = line.find(mark);
            if (at == std::string::npos) continue;
            const std::string rest = line.substr(at + mark.size());
            if (rest.starts_with("-> ") || rest.starts_with("<- ")) found.push_back(rest.substr(0, rest.find(' ', 3)));
        }
        return found;
    }
    std::string story() const {
        std::string all;
        for (const auto& line : judge_.lines()) all += line + "\n";
        return all;
    }
    const Post& post(core::Token token) { return *world.ledger.find(token); }

private:
    Judge judge_;
    std::vector<std::vector<std::string>> events_;
    std::vector<std::size_t> read_;

public:
    World world;
};

using Lines = std::vector<std::string>;

} // namespace tortoise::sim
