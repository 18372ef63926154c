// Asking for the credentials of an attempt to connect, and waiting for the answer; and when to ask again.
#include "client/core.hpp"
#include "client/question.hpp"
#include <algorithm>
#include <chrono>

namespace tortoise {

// A fifth of their time before they end, and no more than five minutes. Those that have ended are left to the server.
std::optional<io::Time> Connection::Core::renewal_of(const Credentials& credentials) {
    if (!credentials.expires) return std::nullopt;
    constexpr auto longest =
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::hours(24 * 365));
    const auto left = std::min(*credentials.expires - std::chrono::system_clock::now(), longest);
    if (left <= left.zero()) return std::nullopt;
    const Duration spare = std::min<Duration>(left / 5, std::chrono::minutes(5));
    return io::Loop::now() + left - spare;
}

/// True if they are there, and the attempt may go on.
bool Connection::Core::ask_for_credentials() {
    const CredentialsRequest request{failed_attempts_ + 1, driver_->endpoint().to_string(), error()};
    std::optional<Pending<Credentials>> answer;
    if (!guarded([&] { answer.emplace(ask_credentials_(request)); })) return false;
    if (const auto* at_once = answer->peek()) {
        auto error = set_credentials(*at_once);
        if (error) driver_->give_up(std::move(*error));
        return !error;
    }
    question_ = std::make_shared<Question>(*this);
    answer->on_done([question = question_](const Result<Credentials>& result) {
        auto core = question->core();
        if (!core) return;
        auto& loop = core->loop_;
        loop.post([core = std::move(core), question, result] { core->answered(question.get(), result); });
    });
    return false;
}

void Connection::Core::answered(const Question* question, const Result<Credentials>& result) {
    if (question_.get() != question) return;
    close_question();
    if (auto error = set_credentials(result))
        driver_->give_up(std::move(*error));
    else
        driver_->open();
    driver_->drain();
}

std::optional<Error> Connection::Core::set_credentials(const Result<Credentials>& result) {
    if (!result) return result.error();
    if (auto ok = check_credentials(*result, version_); !ok) return std::move(ok).error();
    engine().set_credentials(*result, renewal_of(*result));
    return std::nullopt;
}

void Connection::Core::close_question() {
    if (question_) question_->close();
    question_.reset();
}

} // namespace tortoise
