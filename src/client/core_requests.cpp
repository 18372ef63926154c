// Requests and replies. [MQTT-4.10]
#include "client/core.hpp"
#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise {

namespace {

constexpr Duration longest = std::chrono::hours(24 * 365);

} // namespace

Pending<Message> Connection::Core::request(std::string_view topic, Octets payload, RequestOptions options) {
    using One = detail::PendingResult<Message>;
    auto one = detail::Ref<One>::adopt(new One);
    const auto number = replies_.number();
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
    const auto number = replies_.number();
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
        options.response_topic = replies_.response_topic(client_id_, response_information_);
    }
    if (auto ok = check_topic(options.response_topic); !ok) return asked.fail(ok.error());

    const auto timeout = std::clamp(options.timeout, Duration(0), longest);
    asked.response_topic = options.response_topic;
    asked.until = io::Loop::now() + timeout;
    const Replies::Asked untaken{.one = asked.one, .many = asked.many};
    // It is open before a reply can come, or a refusal of the topic.
    const auto error = posted(mailbox_.put([this, number, asked = std::move(asked)](const Error* ended) mutable {
        if (ended) return answering([&] { asked.fail(*ended); });
        replies_.open(number, std::move(asked));
        arm_reply_timer();
    }));
    if (error) return untaken.fail(*error);
    subscribe_replies(options.response_topic);
    PublishOptions publishing{.qos = options.qos, .ttl = timeout, .properties = std::move(options.properties)};
    if (v5) {
        publishing.properties.set(property::response_topic, options.response_topic);
        publishing.properties.set(property::correlation_data, replies_.correlation(number));
    }
    const auto delivery = publish(topic, payload, publishing);
    delivery.on_done([core = detail::Ref<Core>::share(this), number](const Result<Receipt>& receipt) {
        if (receipt && receipt->reason != Reason::no_matching_subscribers) return;
        auto why = receipt ? make_error(receipt->reason) : receipt.error();
        core->with_replies([number, why = std::move(why)](Replies& replies) { replies.fail(number, why); });
    });
}

/// Once for each topic, and again if it was refused.
void Connection::Core::subscribe_replies(const std::string& response_topic) {
    if (!replies_.first_use(response_topic)) return;
    using One = detail::PendingResult<Grant>;
    auto granted = detail::Ref<One>::adopt(new One);
    OnMessage taker = [this](Connection& self, const MessageView& reply) {
        replies_.arrived(self, reply);
        arm_reply_timer();
    };
    subscribe({{response_topic, QoS::at_least_once}}, std::move(taker),
              std::make_unique<SingleRequest<Grant>>(granted));
    Pending<Grant>(granted).on_done(
        [core = detail::Ref<Core>::share(this), response_topic](const Result<Grant>& grant) {
            if (grant) return;
            core->replies_.forget(response_topic);
            core->with_replies(
                [response_topic, why = grant.error()](Replies& replies) { replies.fail_all(response_topic, why); });
        });
}

/// In its turn: behind the requests that were made before.
void Connection::Core::with_replies(Fn<void(Replies&)> call) {
    posted(mailbox_.put([this, call = std::move(call)](const Error* ended) mutable {
        if (ended) return; // all of them end
        answering([&] { call(replies_); });
        arm_reply_timer();
    }));
}

void Connection::Core::arm_reply_timer() {
    if (!reply_timer_) return;
    if (const auto due = replies_.next_due())
        reply_timer_->arm(*due);
    else
        reply_timer_->disarm();
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
