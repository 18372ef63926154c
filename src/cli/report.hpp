#pragma once
// What the command says on standard error.

#include "exit_code.hpp"
#include <string>
#include <string_view>
#include <tortoise/error.hpp>

namespace cli {

/// Lines on standard error, each in one write, each beginning with the command's name. Any thread may call it.
class Report {
public:
    /// `name` is "tortoise pub" and the like.
    explicit Report(std::string name) : name_(std::move(name)) {}

    /// `quiet` silences errors that happen while it runs, not those of the command line.
    void set(bool quiet, bool debug) noexcept {
        quiet_ = quiet;
        debug_ = debug;
    }
    bool debugging() const noexcept { return debug_; }

    void usage(std::string_view text) const;
    void error(std::string_view text) const;
    void debug(std::string_view text) const;

private:
    void line(std::string_view text) const;
    std::string name_;
    bool quiet_ = false, debug_ = false;
};

/// What to say, and how to end.
struct Verdict {
    ExitCode code;
    std::string text;
};

/// Why there is no connection to `server` ("host:port"), and what to do about it.
Verdict explain_connect(const tortoise::Error&, std::string_view server);

/// Why a connection to `server` that had been up is there no more.
std::string explain_loss(const tortoise::Error&, std::string_view server);

/// Why a message was not delivered, and what to do about it.
Verdict explain_publish(const tortoise::Error&, std::string_view topic, const tortoise::Error& of_connection);

} // namespace cli
