#include <chrono>
#include <cstdio>
#include <tortoise/connection.hpp>
#include <tortoise/logger_handler.hpp>

namespace tortoise {

namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string milliseconds(Duration d) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

std::string number(QoS qos) { return std::to_string(static_cast<int>(qos)); }

std::string described(const MessageView& m, bool payload) {
    auto text = quoted(m.topic) + " QoS " + number(m.qos) + (m.retain ? ", retained" : "") +
                (m.duplicate ? ", duplicate" : "") + ", " + std::to_string(m.payload.size()) + " bytes";
    return payload ? text + ": " + std::string(m.payload) : text;
}

} // namespace

LoggerHandler::LoggerHandler(LoggerOptions options) : options_(std::move(options)) {}

void LoggerHandler::init(Connection& connection) {
    who_ = connection.client_id();
    line("starts");
}

void LoggerHandler::terminate(const Error& reason) noexcept { line("ends: " + reason.describe()); }

Actions LoggerHandler::connection(Connection&, const StatusInfo& info) {
    auto text = std::string(to_string(info.status));
    if (info.status == Status::up) {
        text += ", MQTT " + std::string(to_string(info.session.version)) +
                (info.session.session_present ? ", session present" : ", new session");
    } else if (info.reason.code) {
        text += ": " + info.reason.describe();
    }
    if (info.status == Status::down && info.retry_in) text += "; next attempt in " + milliseconds(*info.retry_in);
    line(std::move(text));
    return {};
}

Actions LoggerHandler::subscription(Connection&, const FilterStatus& status) {
    auto text = "subscription " + quoted(status.filter);
    switch (status.kind) {
    case FilterStatus::Kind::up:
        text += " granted QoS " + number(status.grant.granted);
        if (status.grant.granted != status.grant.requested) text += " instead of " + number(status.grant.requested);
        break;
    case FilterStatus::Kind::down: text += " ended"; break;
    case FilterStatus::Kind::refused: text += " refused: " + status.reason.describe(); break;
    }
    line(std::move(text));
    return {};
}

Actions LoggerHandler::message(Connection&, const MessageView& message) {
    line("message " + described(message, options_.payloads));
    return {};
}

void LoggerHandler::undelivered(Connection&, const MessageView& message, const Error& why) {
    line("undelivered " + described(message, options_.payloads) + ": " + why.describe());
}

void LoggerHandler::warning(Connection&, std::string_view text) { line("warning: " + std::string(text)); }

void LoggerHandler::line(std::string text) noexcept {
    try {
        const auto whole = who_ + ": " + text;
        if (options_.write)
            options_.write(whole);
        else
            std::fprintf(stderr, "%s\n", whole.c_str());
    } catch (...) {
        // A log that cannot be written is no reason to end a connection.
    }
}

} // namespace tortoise
