// Asking for the credentials of an attempt to connect, and waiting for the answer; and when to ask again.
#include "client/core.hpp"
#include "client/question.hpp"
#include <algorithm>
#include <chrono>

namespace tortoise {

// A fifth of their time before they end, and no more than five minutes. Those that have ended are left to the server.
std::optional<io::Time> Connection::Core::renewal_of(const std::optional<std::chrono::system_clock::time_point>& ends) {
    if (!ends) return std::nullopt;
    constexpr auto longest =
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::hours(24 * 365));
    const auto left = std::min(*ends - std::chrono::system_clock::now(), longest);
    if (left <= left.zero()) return std::nullopt;
    const Duration spare = std::min<Duration>(left / 5, std::chrono::minutes(5));
    return io::Loop::now() + left - spare;
}

/// Then the attempt goes on, or is given up.
void Connection::Core::ask_for_credentials() {
    const CredentialsRequest request = credentials_request();
    std::optional<Pending<Credentials>> answer;
    if (!guarded([&] { answer.emplace(ask_credentials_(request)); })) return;
    ask("the function for the credentials", *answer, [this](const Result<Credentials>& result) {
        if (auto error = set_credentials(result)) return driver_->give_up(std::move(*error));
        begin_authentication();
    });
}

CredentialsRequest Connection::Core::credentials_request() const {
    return {failed_attempts_ + 1, driver_->endpoint().to_string(), error()};
}

std::optional<Error> Connection::Core::set_credentials(const Result<Credentials>& result) {
    if (!result) return result.error();
    if (auto ok = check_credentials(*result, version_); !ok) return std::move(ok).error();
    engine().set_credentials(*result, renewal_of(result->expires));
    return std::nullopt;
}

void Connection::Core::close_question() {
    if (question_) question_->close();
    question_.reset();
}

} // namespace tortoise
