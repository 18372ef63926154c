// What the engine tells: on its way to handlers, listeners, and whoever waits for an answer.
#include "client/core.hpp"
#include "client/pipe.hpp"
#include "client/question.hpp"
#include "client/registry.hpp"
#include <algorithm>
#include <variant>

namespace tortoise {

void Connection::Core::handle(core::Event& event) {
    if (auto* const received = std::get_if<core::Received>(&event)) return on(*received); // most of what comes
    std::visit([this](auto& e) { on(e); }, event);
}

void Connection::Core::change_status(StatusInfo info) {
    info.server = driver_->endpoint().to_string();
    detail::Ref<detail::PendingResult<Done>> lost;
    {
        std::lock_guard lock(mutex_);
        if (info.reason.code) error_ = info.reason;
        if (info.status == Status::up) session_ = info.session;
        status_.store(info.status, std::memory_order_release);
        if (info.status != Status::up) lost = std::move(lost_);
    }
    if (lost) lost->answer(Done{});
    guarded([&] { apply(handler_->connection(self_, info)); });
    if (listeners_.any<StatusEvent>()) tell(StatusEvent{info});
}

void Connection::Core::on(core::Up& event) {
    meters_.connects.add();
    up_since_ = io::Loop::now();
    failed_attempts_ = 0;
    {
        std::lock_guard lock(mutex_);
        response_information_ = event.info.properties.view().get(property::response_information).value_or(Octets());
    }
    change_status({.status = Status::up, .session = event.info});
    detail::Ref<detail::PendingResult<SessionInfo>> ready;
    {
        std::lock_guard lock(mutex_);
        ready = std::move(ready_);
    }
    if (ready) answering([&] { ready->answer(event.info); });
}

void Connection::Core::on(core::Down& event) {
    // The engine does not know addresses, nor whom we wait for.
    if (event.why.code == Errc::connect_timeout) {
        if (question_) event.why.text = std::string(question_->whom) + " did not answer in time";
        event.why.text = driver_->endpoint().to_string() + ": " + event.why.text;
    }
    close_question();
    authentication_failed(event.why);
    const bool sent_on = follow_reference(event);
    const bool asked_for = event.why.code == Errc::stopped || event.why.code == Errc::cancelled;
    if (!asked_for) {
        (event.was_up ? meters_.drops : meters_.failures).add();
        end_told_ = !event.retry_in;
        tell_error(event.why);
    }
    failed_attempts_ = event.attempt;
    change_status({.status = Status::down,
                   .reason = event.why,
                   .attempt = event.attempt,
                   .retry_in = event.retry_in,
                   .properties = std::move(event.properties)});
    if (sent_on) engine().retry_now(now());
}

void Connection::Core::on(core::Received& event) {
    meters_.messages_received.add();
    const bool manual = acknowledge_ == Acknowledge::manual;
    if (manual) event.message.ack_id = event.id;
    unsigned kept = 0;
    const bool handled = guarded([&] { kept = deliver(event); });
    if (!handled || event.id == 0 || manual) return;
    if (kept == 0) return engine().acknowledge(driver_->now(), event.id);
    if (kept > 1) holders_[event.id] = kept;
}

void Connection::Core::hand_to_handler(const MessageView& message) {
    if (const auto actions = handler_->message(self_, message); !actions.empty()) apply(actions);
}

/// How many streams have the message, and acknowledge it later.
unsigned Connection::Core::deliver(const core::Received& event) {
    if (event.route_count == 0) return hand_to_handler(event.message), 0;
    const auto routes = engine().routes(event);
    bool to_handler = routes.empty();
    unsigned kept = 0;
    for (const auto route : routes) {
        auto* taker = routes_.find(route);
        if (taker == nullptr)
            to_handler = true;
        else if (auto* stream = std::get_if<detail::Ref<Stream::Core>>(taker))
            kept += (*stream)->take(event.message, event.id) ? 1 : 0;
        else
            std::get<OnMessage> (*taker)(self_, event.message);
    }
    if (to_handler) hand_to_handler(event.message);
    return kept;
}

void Connection::Core::on(core::Delivered& event) {
    const auto qos = event.receipt.qos;
    if (qos != QoS::at_most_once) {
        meters_.delivered.add();
        meters_.delivery_time.add(event.receipt.took);
        if (listeners_.any<DeliveryEvent>()) tell(DeliveryEvent{event.topic, qos, event.receipt});
    }
    if (auto* const pipe = Pipe::Core::of(event.token)) return pipe->ended(nullptr);
    const auto publishing = detail::Ref<Publishing>::adopt(reinterpret_cast<Publishing*>(event.token));
    answering([&] { publishing->answer(std::move(event.receipt)); });
}

void Connection::Core::on(core::Undelivered& event) { undelivered(event.token, event.message, event.why); }

void Connection::Core::undelivered(core::Token token, const MessageView& message, const Error& why) {
    count(why);
    if (auto* const pipe = Pipe::Core::of(token)) {
        pipe->ended(&why);
    } else if (token) {
        const auto publishing = detail::Ref<Publishing>::adopt(reinterpret_cast<Publishing*>(token));
        answering([&] { publishing->answer(why); });
    }
    guarded([&] { handler_->undelivered(self_, message, why); });
    if (listeners_.any<DeliveryEvent>()) tell(DeliveryEvent{message.topic, message.qos, why});
}

void Connection::Core::on(core::Subscribed& event) {
    const std::unique_ptr<Request<Grant>> request(Request<Grant>::of(event.token));
    if (request) answering([&] { request->answer(std::move(event.results)); });
}

void Connection::Core::on(core::Unsubscribed& event) {
    const std::unique_ptr<Request<Done>> request(Request<Done>::of(event.token));
    if (request) answering([&] { request->answer(std::move(event.results)); });
}

void Connection::Core::on(core::FilterChanged& event) {
    if (!event.wanted) {
        wanted_.gone(event.filter);
        if (event.grant) {
            const auto why = *event.grant ? make_error(Errc::cancelled) : event.grant->error();
            answering([&] { routes_.erase(event.filter, why); });
        }
    }
    FilterStatus status{.kind = FilterStatus::Kind::down, .filter = event.filter};
    if (event.grant && *event.grant) {
        status.kind = FilterStatus::Kind::up;
        status.grant = **event.grant;
    } else if (event.grant) {
        status.kind = FilterStatus::Kind::refused;
        status.reason = event.grant->error();
    }
    guarded([&] { apply(handler_->subscription(self_, status)); });
    if (listeners_.any<SubscriptionEvent>()) tell(SubscriptionEvent{status});
}

void Connection::Core::on(core::Pong& event) {
    meters_.round_trip_time.add(event.round_trip);
    if (listeners_.any<PingEvent>()) tell(PingEvent{event.round_trip});
    if (event.token == 0) return;
    const auto pinging = detail::Ref<Pinging>::adopt(reinterpret_cast<Pinging*>(event.token));
    answering([&] { pinging->answer(event.round_trip); });
}

void Connection::Core::on(core::PingFailed& event) {
    if (event.token == 0) return;
    const auto pinging = detail::Ref<Pinging>::adopt(reinterpret_cast<Pinging*>(event.token));
    answering([&] { pinging->answer(event.why); });
}

void Connection::Core::apply(const Actions& actions) {
    for (const auto& action : actions) {
        const auto& f = action.filter;
        const bool subscribes = action.kind == Action::Kind::subscribe;
        const auto ok = subscribes ? check_subscription(f, version_) : check_filter(f.filter);
        if (!ok)
            refuse(f.filter, ok.error());
        else if (subscribes)
            subscribe({f}, {}, nullptr);
        else
            unsubscribe({f.filter}, nullptr);
    }
}

// There is no Pending to tell, so the handler is told; later, lest it answers with the same action for ever.
void Connection::Core::refuse(std::string filter, Error why) {
    posted(mailbox_.put([this, filter = std::move(filter), why = std::move(why)](const Error* ended) {
        if (ended) return;
        const FilterStatus status{.kind = FilterStatus::Kind::refused, .filter = filter, .reason = why};
        guarded([&] { apply(handler_->subscription(self_, status)); });
        if (listeners_.any<SubscriptionEvent>()) tell(SubscriptionEvent{status});
    }));
}

} // namespace tortoise
