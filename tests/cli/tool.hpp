#pragma once
// Runs the built command against a broker in this process.

#include "support/process.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/testing/broker.hpp>
#include <vector>

namespace test {

/// `tortoise` and these words.
inline Words tortoise(const Words& words) { return Words{TORTOISE_PROGRAM} + words; }

/// A broker of the test's own, and the command told where it is.
class Tool : public ::testing::Test {
protected:
    explicit Tool(tortoise::testing::BrokerOptions options = {}) : broker_(std::move(options)) {
        if (const auto ok = broker_.ok(); !ok) throw std::runtime_error(ok.error().describe());
    }

    std::string port() const { return std::to_string(broker_.port()); }
    Words at(const std::string& command, const Words& words) const {
        return tortoise({command, "-h", "127.0.0.1", "-p", port()}) + words;
    }
    Ended pub(const Words& words, const std::string& input = {}) const { return run(at("pub", words), input); }
    Ended sub(const Words& words) const { return run(at("sub", words)); }

    /// What a client sent as its last, the broker may read after its end: looks at the statistics until they are so.
    template <class Condition> bool soon(Condition condition) const {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!condition(broker_.statistics())) {
            if (std::chrono::steady_clock::now() > until) return false;
            ::poll(nullptr, 0, 1);
        }
        return true;
    }

    /// A subscriber that has been granted its subscriptions.
    std::unique_ptr<Process> subscriber(const Words& words) const {
        auto process = std::make_unique<Process>(at("sub", words + Words{"-d"}));
        EXPECT_TRUE(process->says("subscribed to")) << process->err();
        return process;
    }

    tortoise::testing::Broker broker_;
};

/// A broker that was told something special.
template <class Configure> class ToolWith : public Tool {
protected:
    ToolWith() : Tool(Configure::options()) {}
};

} // namespace test
