// Acknowledgements that are not given at once: by the user, and by streams.
#include "client/core.hpp"
#include "core/codec/packet.hpp"

namespace tortoise {

void Connection::Core::acknowledge(core::InboundId id, Reason reason) {
    posted(mailbox_.put_urgent([this, id, reason](const Error* ended) {
        if (!ended) engine().acknowledge(now(), id, reason);
    }));
}

Result<Done> Connection::Core::refuse(core::InboundId id, Reason reason) {
    if (version_ == Version::v3_1_1) return make_error(Errc::not_supported, "MQTT 3.1.1 cannot refuse a message");
    if (!is_refusal(reason)) {
        return make_error(Errc::invalid_option,
                          std::to_string(static_cast<int>(reason)) + " is no refusal; those are 128 and above");
    }
    if (auto wrong = core::check(version_, core::Ack{core::PacketType::puback, 1, reason, {}}))
        return make_error(Errc::invalid_option, std::move(wrong->text));
    acknowledge(id, reason);
    return Done();
}

void Connection::Core::settled(core::InboundId id) {
    if (const auto several = holders_.find(id); several != holders_.end()) {
        if (--several->second > 0) return;
        holders_.erase(several);
    }
    engine().acknowledge(driver_->now(), id);
}

void Connection::Core::listen_to(detail::Ref<Stream::Core> stream) {
    posted(mailbox_.put_urgent([this, stream = std::move(stream)](const Error* ended) {
        if (ended) return;
        const auto at = now();
        const auto news = stream->news();
        for (const auto id : news.handled) settled(id);
        if (news.full)
            full_streams_.insert(stream.get());
        else
            full_streams_.erase(stream.get());
        engine().hold_input(at, !full_streams_.empty());
    }));
}

} // namespace tortoise
