// Requests and replies. [MQTT-4.10]
#include "client/core.hpp"
#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise {

namespace {

constexpr Duration longest = std::chrono::hours(24 * 365);

} // namespace

Replies& Connection::Core::replies() {
    std::lock_guard lock(mutex_);
    if (!replies_)
        replies_ = std::make_unique<Replies>(version_, random_seed(),
                                             [this](const std::string& topic) { left_response_topic(topic); });
    return *replies_;
}

void Connection::Core::end_replies(const Error& why) {
    const bool any = [&] {
        std::lock_guard lock(mutex_);
        return replies_ != nullptr;
    }();
    if (any) answering([&] { replies_->end(why); });
}

Pending<Message> Connection::Core::request(std::string_view topic, Octets payload, RequestOptions options) {
    using One = detail::PendingResult<Message>;
    auto one = detail::Ref<One>::adopt(new One);
    const auto number = replies().number();
    one->set_canceller([core = detail::Ref<Core>::share(this), number] {
        core->with_replies([number](Replies& replies) { replies.fail(number, make_error(Errc::cancelled)); });
    });
    ask(topic, payload, std::move(options), {.one = one}, number);
    return Pending<Message>(std::move(one));
}

Pending<std::size_t> Connection::Core::request(std::string_view topic, Octets payload, RequestOptions options,
                                               OnMessage each) {
    using Many = detail::PendingResult<std::size_t>;
    auto many = detail::Ref<Many>::adopt(new Many);
    const auto number = replies().number();
    many->set_canceller([core = detail::Ref<Core>::share(this), number] {
        core->with_replies([number](Replies& replies) { replies.fail(number, make_error(Errc::cancelled)); });
    });
    ask(topic, payload, std::move(options), {.each = std::move(each), .many = many}, number);
    return Pending<std::size_t>(std::move(many));
}

void Connection::Core::ask(std::string_view topic, Octets payload, RequestOptions options, Replies::Asked asked,
                           Replies::Number number) {
    const bool v5 = version_ == Version::v5;
    if (!v5 && options.response_topic.empty())
        return asked.fail(make_error(Errc::invalid_option, "a request on MQTT 3.1.1 needs a response_topic"));
    if (options.response_topic.empty()) {
        std::lock_guard lock(mutex_);
        options.response_topic = replies_->response_topic(client_id_, response_information_);
    }
    if (auto ok = check_topic(options.response_topic); !ok) return asked.fail(ok.error());

    if (wanted_.is_anothers(options.response_topic, replies_.get()))
        return asked.fail(
            make_error(Errc::invalid_option, "the response topic '" + options.response_topic +
                                                 "' is subscribed already; it has to be the requests' own"));

    const auto timeout = std::clamp(options.timeout, Duration(0), longest);
    asked.response_topic = options.response_topic;
    asked.until = io::Loop::now() + timeout;
    if (auto error = open_request(std::move(asked), number)) return;
    PublishOptions publishing{.qos = options.qos, .ttl = timeout, .properties = std::move(options.properties)};
    if (v5) {
        publishing.properties.set(property::response_topic, options.response_topic);
        publishing.properties.set(property::correlation_data, replies_->correlation(number));
    }
    const auto delivery = publish(topic, payload, publishing);
    delivery.on_done([core = detail::Ref<Core>::share(this), number](const Result<Receipt>& receipt) {
        if (receipt && receipt->reason != Reason::no_matching_subscribers) return;
        auto why = receipt ? make_error(receipt->reason) : receipt.error();
        core->with_replies([number, why = std::move(why)](Replies& replies) { replies.fail(number, why); });
    });
}

/// It is open before a reply can come, or a refusal of the topic. The error was told.
std::optional<Error> Connection::Core::open_request(Replies::Asked asked, Replies::Number number) {
    using One = detail::PendingResult<Grant>;
    const auto topic = asked.response_topic;
    const Replies::Asked untaken{.one = asked.one, .many = asked.many};
    detail::Ref<One> granted; // null: somebody else has subscribed
    std::optional<Error> error;
    {
        const auto lock = replies_->lock();
        error = posted(mailbox_.put([this, number, asked = std::move(asked)](const Error* ended) mutable {
            if (ended) return answering([&] { asked.fail(*ended); });
            replies_->open(number, std::move(asked));
            arm_reply_timer();
        }));
        if (!error && replies_->enter(topic)) {
            granted = detail::Ref<One>::adopt(new One);
            OnMessage taker = [this](Connection& self, const MessageView& reply) {
                replies_->arrived(self, reply);
                arm_reply_timer();
            };
            subscribe({{topic, QoS::at_least_once}}, std::move(taker), std::make_unique<SingleRequest<Grant>>(granted),
                      replies_.get());
        }
    }
    if (error) untaken.fail(*error);
    if (granted) {
        Pending<Grant>(granted).on_done([core = detail::Ref<Core>::share(this), topic](const Result<Grant>& grant) {
            if (grant) return;
            core->with_replies([topic, why = grant.error()](Replies& replies) { replies.fail_all(topic, why); });
        });
    }
    return error;
}

/// A topic of the user's is given back after its last request; the one that was made up stays.
void Connection::Core::left_response_topic(const std::string& topic) {
    const auto lock = replies_->lock();
    const bool made_up = [&] {
        std::lock_guard guard(mutex_);
        return topic == replies_->response_topic(client_id_, response_information_);
    }();
    if (!made_up && replies_->leave(topic)) unsubscribe_owned({topic}, replies_.get());
}

/// In its turn: behind the requests that were made before.
void Connection::Core::with_replies(Fn<void(Replies&)> call) {
    posted(mailbox_.put([this, call = std::move(call)](const Error* ended) mutable {
        if (ended) return; // all of them end
        answering([&] { call(*replies_); });
        arm_reply_timer();
    }));
}

void Connection::Core::arm_reply_timer() {
    const auto due = replies_->next_due();
    if (!due) {
        if (reply_timer_) reply_timer_->disarm();
        return;
    }
    if (ended_) return;
    if (!reply_timer_)
        reply_timer_ = std::make_unique<io::Timer>(loop_, [this] {
            answering([&] { replies_->elapsed(io::Loop::now()); });
            arm_reply_timer();
            turn();
        });
    reply_timer_->arm(*due);
}

Delivery Connection::Core::reply(const MessageView& request, Octets payload, PublishOptions options) {
    const auto topic = request.properties.get(property::response_topic);
    if (!topic) {
        return Delivery(Result<Receipt>(
            make_error(Errc::invalid_option, "the message on '" + std::string(request.topic) + "' asks for no reply")));
    }
    if (const auto data = request.properties.get(property::correlation_data))
        options.properties.set(property::correlation_data, *data);
    return publish(*topic, payload, options);
}

} // namespace tortoise
