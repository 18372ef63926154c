#include "client.hpp"
#include <fmt/format.h>

namespace cli {

using tortoise::Actions;
using tortoise::Connection;
using tortoise::Errc;
using tortoise::Error;
using tortoise::MessageView;
using tortoise::Status;
using tortoise::StatusInfo;

void ClientHandler::terminate(const Error& reason) noexcept {
    context_.watch.change([&](Watch::State& s) {
        if (!s.failed) s.failed = reason;
    });
}

Actions ClientHandler::connection(Connection&, const StatusInfo& info) {
    const auto& server = context_.plan.server;
    if (info.status == Status::up) {
        context_.report.debug(fmt::format("connected to {} (MQTT {}, client {}, {} session)", server,
                                          to_string(info.session.version), info.session.client_id,
                                          info.session.session_present ? "kept" : "new"));
        is_up_ = true;
        if (was_up_) return {};
        was_up_ = true;
        context_.watch.change([](Watch::State& s) { ++s.were_up; });
    } else if (info.status == Status::down && info.reason.code != Errc::stopped) {
        if (!was_up_ && !context_.retry) {
            context_.watch.change([&](Watch::State& s) {
                if (!s.failed) s.failed = info.reason;
            });
        } else if (info.retry_in) {
            const auto text = is_up_ ? explain_loss(info.reason, server) : explain_connect(info.reason, server).text;
            context_.report.error(text + "; trying again");
        }
        is_up_ = false;
    }
    return {};
}

void ClientHandler::undelivered(Connection&, const MessageView& message, const Error& why) {
    context_.watch.change([&](Watch::State& s) {
        if (s.undelivered++ > 0) return;
        s.first_undelivered = why;
        s.first_undelivered_topic = message.topic;
    });
}

void ClientHandler::warning(Connection&, std::string_view text) {
    context_.report.error(fmt::format("warning: {}", in_words_of_the_command(std::string(text))));
}

std::optional<ExitCode> wait_until_up(Connection& connection, Context& context, Bell::Clock::time_point deadline,
                                      std::size_t connections) {
    // Options that the library does not take make a connection that is stopped from the start, without a handler.
    if (connection.status() == Status::stopped)
        context.watch.change([&](Watch::State& s) {
            if (!s.failed) s.failed = connection.error();
        });
    while (true) {
        const auto state = context.watch.state();
        if (state.were_up >= connections) return std::nullopt;
        if (context.watch.bell().interrupted()) return success;
        if (state.failed) {
            const auto verdict = explain_connect(*state.failed, context.plan.server);
            context.report.error(verdict.text);
            return verdict.code;
        }
        if (Bell::Clock::now() >= deadline) {
            const auto verdict = explain_connect(make_error(Errc::connect_timeout), context.plan.server);
            context.report.error(verdict.text);
            return verdict.code;
        }
        context.watch.bell().wait(deadline);
    }
}

Bell::Clock::time_point first_attempt_over(const ConnectArguments& a) {
    // The connection keeps this time by itself; the second on top leaves the word to it.
    constexpr auto margin = std::chrono::seconds(1);
    if (a.retry) return Bell::Clock::time_point::max();
    return Bell::Clock::now() +
           std::chrono::duration_cast<Bell::Clock::duration>(std::chrono::duration<double>(a.connect_timeout)) + margin;
}

} // namespace cli
