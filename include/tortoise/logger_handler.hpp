#pragma once
/// A handler that writes down what happens.

#include <tortoise/handler.hpp>

namespace tortoise {

struct LoggerOptions {
    bool payloads = false;              ///< show payloads; otherwise only their size
    Fn<void(std::string_view)> write = {};  ///< where lines go; empty: standard error
};

/// Writes a line for each change of status, subscription, message, undelivered publish and warning.
class LoggerHandler : public Handler {
public:
    explicit LoggerHandler(LoggerOptions = {});
    void init(Connection&) override;
    void terminate(const Error& reason) noexcept override;
    Actions connection(Connection&, const StatusInfo&) override;
    Actions subscription(Connection&, const FilterStatus&) override;
    Actions message(Connection&, const MessageView&) override;
    void undelivered(Connection&, const MessageView&, const Error&) override;
    void warning(Connection&, std::string_view text) override;

private:
    void line(std::string text) noexcept;
    LoggerOptions options_;
    std::string who_;
};

} // namespace tortoise
