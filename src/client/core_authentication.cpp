// The user's authenticator: one for each attempt to connect, and for each re-authentication.
#include "client/core.hpp"
#include "client/question.hpp"

namespace tortoise {

namespace {

constexpr std::string_view authenticator_words = "the authenticator";

} // namespace

/// Null if it could not be made; then `failed` was told why, or the connection ends.
template <class Failed> bool Connection::Core::make_authenticator(Failed failed) {
    authenticator_.reset();
    if (!guarded([&] { authenticator_.reset(make_authenticator_.make(credentials_request())); })) return false;
    if (!authenticator_) failed(make_error(Errc::invalid_option, "the authenticator's factory returned null"));
    return authenticator_ != nullptr;
}

/// Asks for the first data; then it goes on, or fails.
template <class GoOn, class Failed> void Connection::Core::begin_conversation(GoOn go_on, Failed failed) {
    if (!make_authenticator(failed)) return;
    core::Authentication with;
    std::optional<Pending<std::string>> first;
    const bool asked = guarded([&] {
        with.method = authenticator_->method();
        first.emplace(authenticator_->begin());
    });
    if (!asked) return;
    ask(authenticator_words, *first, [=, method = std::move(with.method)](const Result<std::string>& data) {
        if (!data) return failed(data.error());
        go_on(core::Authentication{method, *data});
    });
}

// ---- An attempt to connect -----------------------------------------------------------------------------------------

void Connection::Core::begin_authentication() {
    if (!make_authenticator_) return driver_->open();
    begin_conversation(
        [this](core::Authentication with) {
            if (auto ok = check_authentication(with); !ok) return driver_->give_up(std::move(ok).error());
            engine().set_authentication(std::move(with));
            driver_->open();
        },
        [this](Error why) { driver_->give_up(std::move(why)); });
}

// ---- The conversation ----------------------------------------------------------------------------------------------

void Connection::Core::on(core::AuthenticationContinued& event) {
    std::optional<Pending<std::string>> answer;
    if (!guarded([&] { answer.emplace(authenticator_->answer(event.data)); })) return;
    ask(authenticator_words, *answer, [this](const Result<std::string>& data) {
        if (data)
            engine().continue_authentication(now(), *data);
        else
            engine().fail_authentication(now(), data.error());
    });
}

void Connection::Core::on(core::AuthenticationSucceeded& event) {
    std::optional<Pending<Done>> verdict;
    if (!guarded([&] { verdict.emplace(authenticator_->verify(event.data)); })) return;
    ask(authenticator_words, *verdict, [this](const Result<Done>& content) {
        if (!content) return engine().fail_authentication(now(), content.error());
        std::optional<io::Time> renewal;
        if (!guarded([&] { renewal = renewal_of(authenticator_->expires()); })) return;
        authenticator_.reset();
        engine().accept_authentication(now(), renewal);
    });
}

void Connection::Core::authentication_failed(const Error& why) {
    if (const auto failed = std::move(authenticator_)) guarded([&] { failed->failed(why); });
    end_reauthentications(why);
}

// ---- Again, on the open connection ---------------------------------------------------------------------------------

Pending<Done> Connection::Core::reauthenticate() {
    auto pending = detail::Ref<detail::PendingResult<Done>>::adopt(new detail::PendingResult<Done>);
    io::Mailbox::Call call = [this, pending](const Error* ended) mutable {
        if (ended) return answering([&] { pending->answer(*ended); });
        reauthentications_.push_back(std::move(pending));
        reauthenticate_now();
    };
    if (auto error = posted(mailbox_.put_urgent(std::move(call))))
        return Pending<Done>(Result<Done>(std::move(*error)));
    return Pending<Done>(std::move(pending));
}

/// Whoever asks while one is under way gets its outcome.
void Connection::Core::reauthenticate_now() {
    if (!make_authenticator_)
        return end_reauthentications(make_error(Errc::not_supported, "the connection has no authenticator"));
    if (status() != Status::up) return end_reauthentications(make_error(Errc::connection_lost, "not connected"));
    if (authenticator_) return;
    begin_conversation([this](core::Authentication with) { engine().reauthenticate(now(), std::move(with)); },
                       [this](Error why) {
                           tell_error(why);
                           authentication_failed(why);
                       });
}

void Connection::Core::end_reauthentications(const std::optional<Error>& why_not) {
    for (const auto& pending : std::exchange(reauthentications_, {}))
        answering([&] { pending->answer(why_not ? Result<Done>(*why_not) : Result<Done>(Done{})); });
}

void Connection::Core::on(core::Reauthenticated& event) {
    if (event.why_not) return authentication_failed(*event.why_not);
    end_reauthentications({});
}

void Connection::Core::on(core::RenewalDue&) { reauthenticate_now(); }

} // namespace tortoise
