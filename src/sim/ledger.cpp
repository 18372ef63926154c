#include "sim/ledger.hpp"

#include <algorithm>
#include <cstring>

namespace tortoise::sim {

std::string make_payload(core::Token token, std::size_t size) {
    std::string payload(std::max(size, sizeof token), static_cast<char>('a' + token % 26));
    std::memcpy(payload.data(), &token, sizeof token);
    return payload;
}

core::Token token_of(Octets payload) noexcept {
    core::Token token = 0;
    if (payload.size() >= sizeof token) std::memcpy(&token, payload.data(), sizeof token);
    return token;
}

std::string name_of(core::Token operation) { return std::to_string(operation - first_operation); }

std::uint32_t Ledger::topic_index(std::string_view topic) {
    if (const auto found = indices_.find(topic); found != indices_.end()) return found->second;
    const auto index = static_cast<std::uint32_t>(topics_.size());
    topics_.emplace_back(topic);
    indices_.emplace(topic, index);
    return index;
}

std::string Ledger::describe(core::Token token) const {
    if (token == 0 || token > posts_.size()) return "message " + std::to_string(token);
    const Post& p = posts_[token - 1];
    return "message " + std::to_string(token) + " (client " + std::to_string(p.client) + " life " +
           std::to_string(p.life) + ", " + topics_[p.topic] + ", QoS " + std::to_string(static_cast<int>(p.qos)) +
           ", sent " + std::to_string(p.sent) + ", routed " + std::to_string(p.routed) + ")";
}

// ---- The user's side -----------------------------------------------------------------------------------------------

core::Token Ledger::open_post(Post post, std::string_view topic) {
    post.topic = topic_index(topic);
    post.place = posts_.size() + 1;
    posts_.push_back(post);
    return posts_.size();
}

core::Token Ledger::open_operation(std::uint32_t client, std::size_t results) {
    operations_.emplace(next_operation_, Operation{client, results});
    return next_operation_++;
}

void Ledger::delivered(core::Token token) {
    Post* post = find(token);
    if (!post) return judge_.fail("delivered: nobody published token " + std::to_string(token));
    if (post->end != Post::End::open) return judge_.fail("a second end (delivered): " + describe(token));
    post->end = Post::End::delivered;
    if (post->qos == QoS::at_most_once) return;
    post->over_on_wire = true;
    if (post->routed == 0 && !post->denied)
        judge_.fail("delivered, but the broker never passed it on: " + describe(token));
}

void Ledger::undelivered(core::Token token, const Error& why, const Message& message) {
    if (token == 0) token = token_of(message.payload); // of an earlier life
    if (token == 0 && message.payload.empty()) return; // … and released: the broker has it
    Post* post = find(token);
    if (!post) return judge_.fail("undelivered: nobody published token " + std::to_string(token));
    if (post->end != Post::End::open)
        return judge_.fail("a second end (undelivered, " + why.describe() + "): " + describe(token));
    // The payload is let go at PUBREC.
    const bool same =
        message.topic == topics_[post->topic] && (message.payload.empty() || token_of(message.payload) == token);
    if (!message.topic.empty() && !same) judge_.fail("undelivered with another message: " + describe(token));
    check_end(token, *post, why);
    post->end = Post::End::undelivered;
    post->why = why.code;
    const bool may_be_on_its_way = post->sent > 0 || post->slack > Duration{}; // it may wait for the disk
    if (why.code != Errc::cancelled || !may_be_on_its_way) post->over_on_wire = true;
}

void Ledger::check_end(core::Token token, const Post& post, const Error& why) {
    if (why.code == Errc::expired) {
        if (!post.expires || judge_.now < *post.expires)
            judge_.fail("expired before its time: " + describe(token));
        else if (post.sent == 0 && !post.survived && judge_.now > std::max(*post.expires, post.made))
            judge_.fail("expired, but reported late: " + describe(token));
    } else if (why.code == Errc::session_lost) {
        if (post.qos != QoS::exactly_once || (post.routed == 0 && !post.denied))
            judge_.fail("session_lost, but the broker did not have it: " + describe(token));
    } else if (why.code == Errc::cancelled) {
        if (!post.cancel_asked) judge_.fail("cancelled, which nobody asked for: " + describe(token));
    } else if (why.code == Errc::queue_full || why.code == Errc::packet_too_large || why.code == Errc::not_supported) {
        if (post.sent > 0 && post.qos == QoS::at_most_once)
            judge_.fail("refused (" + why.describe() + ") after it was sent: " + describe(token));
    } else if (why.code == Reason::not_authorized && !post.denied) {
        judge_.fail("refused without a reason: " + describe(token));
    }
}

void Ledger::operation_over(core::Token token, std::size_t results) {
    const auto found = operations_.find(token);
    if (found == operations_.end()) return judge_.fail("an operation ended twice, or was never begun");
    if (found->second.results != results)
        judge_.fail("asked for " + std::to_string(found->second.results) + " filters, got " + std::to_string(results) +
                    " results");
    operations_.erase(found);
}

void Ledger::ping_over(core::Token token) { operation_over(token, 1); }

void Ledger::check_message(core::Token token, const Post& post, const MessageView& m) {
    if (m.topic != topics_[post.topic])
        judge_.fail("arrived under the topic " + std::string(m.topic) + ": " + describe(token));
    if (m.payload != make_payload(token, post.size)) judge_.fail("arrived with another payload: " + describe(token));
    if (m.qos > post.qos) judge_.fail("arrived with a higher QoS than published: " + describe(token));
}

void Ledger::received(std::uint32_t client, std::uint32_t life, const MessageView& m) {
    const core::Token token = token_of(m.payload);
    Post* post = find(token);
    if (!post) return judge_.fail("a message arrived that nobody published");
    ++arrivals_;
    check_message(token, *post, m);
    if (post->will) return;
    if (post->routed == 0) judge_.fail("arrived before the broker passed it on: " + describe(token));
    const std::uint32_t bit = 1u << client;
    const bool first = (post->arrived & bit) == 0;
    post->arrived |= bit;
    if (m.retain) return; // a copy that the broker kept: neither its number nor its order is promised
    if (m.qos == QoS::exactly_once && ++post->exactly_once[client] > post->routed * (life + 1))
        judge_.fail("arrived at client " + std::to_string(client) + " more than once at QoS 2: " + describe(token));
    if (!first || post->routed > 1) return;
    const std::uint64_t stream = client | std::uint64_t{post->client} << 8 | std::uint64_t{post->topic} << 16 |
                                 std::uint64_t{static_cast<unsigned>(post->qos)} << 48 |
                                 std::uint64_t{static_cast<unsigned>(m.qos)} << 52;
    check_order(last_read_[stream], token, post->place_routed, "arrived");
}

void Ledger::check_order(Last& last, core::Token token, std::uint64_t place, const char* how) {
    if (place < last.place)
        return judge_.fail(std::string(how) + " after message " + std::to_string(last.token) + ": " + describe(token));
    last = {token, place};
}

void Ledger::refused(std::uint32_t client, Octets payload) {
    if (Post* post = find(token_of(payload)); post && post->exactly_once[client] > 0) --post->exactly_once[client];
}

// ---- The wire's side -----------------------------------------------------------------------------------------------

void Ledger::sent(core::Token token, bool repetition) {
    Post* post = find(token);
    if (!post) return judge_.fail("sent: nobody published token " + std::to_string(token));
    if (post->over_on_wire) judge_.fail("sent after its end: " + describe(token));
    if (!repetition && post->expires && judge_.now >= *post->expires + post->slack)
        judge_.fail("sent after its time to live: " + describe(token));
    if (post->own_order && !repetition) post->place = next_place_++;
    if (post->sent++ > 0) {
        if (post->qos == QoS::at_most_once) judge_.fail("sent twice at QoS 0: " + describe(token));
        return;
    }
    if (!post->own_order) check_order(last_sent_[post->client], token, post->place, "sent for the first time");
}

void Ledger::routed(core::Token token, std::uint32_t epoch) {
    Post* post = find(token);
    if (!post) return judge_.fail("the broker passed on what nobody published");
    if (post->will) return;
    if (post->denied) judge_.fail("passed on, though it is denied: " + describe(token));
    if (post->routed > 0 && post->qos == QoS::at_most_once) judge_.fail("passed on twice at QoS 0: " + describe(token));
    // [MQTT-4.3.3-10]
    if (post->routed > 0 && post->qos == QoS::exactly_once && post->routed_epoch == epoch)
        judge_.fail("passed on twice at QoS 2 in one session: " + describe(token));
    post->routed_epoch = epoch;
    if (post->routed++ > 0) return;
    const std::uint64_t stream =
        post->client | std::uint64_t{post->topic} << 16 | std::uint64_t{static_cast<unsigned>(post->qos)} << 48;
    post->place_routed = post->place;
    check_order(last_routed_[stream], token, post->place, "passed on"); // [MQTT-4.6.0-1]
}

// ---- The end -------------------------------------------------------------------------------------------------------

void Ledger::crashed(std::uint32_t client, const std::vector<core::Token>* kept) {
    if (kept) last_sent_[client] = {}; // what never went out, and was not kept as sent, may come after what did
    // What had ended may go on where the disk did not hear of it.
    for (const core::Token token : kept ? *kept : std::vector<core::Token>{}) {
        Post& post = posts_[token - 1];
        post.survived = true;
        post.over_on_wire = false;
        post.end = Post::End::open;
    }
    for (core::Token token = 1; token <= posts_.size(); ++token) {
        Post& post = posts_[token - 1];
        if (post.client != client || post.end != Post::End::open) continue;
        if (kept && std::find(kept->begin(), kept->end(), token) != kept->end()) continue;
        const bool over = post.qos == QoS::at_most_once || (post.survived && (post.routed > 0 || post.denied));
        if (kept && post.accepted && !over) judge_.fail("accepted, but not on the disk: " + describe(token));
        post.end = Post::End::undelivered;
        post.why = make_error_code(Errc::stopped);
        post.over_on_wire = true;
    }
    std::erase_if(operations_, [client](const auto& entry) { return entry.second.client == client; });
}

void Ledger::check_nothing_open(std::uint32_t client) {
    for (std::size_t i = 0; i < posts_.size(); ++i) {
        const Post& post = posts_[i];
        if (post.client != client || post.end != Post::End::open) continue;
        // A good end of what survived is told to nobody; but the broker must have it.
        if (post.survived && (post.routed > 0 || post.denied || post.qos == QoS::at_most_once)) continue;
        return judge_.fail("never ended: " + describe(i + 1));
    }
    if (const auto token = open_operation_of(client))
        judge_.fail("an operation of client " + std::to_string(client) + " never ended: operation " + name_of(*token));
}

std::optional<core::Token> Ledger::open_operation_of(std::uint32_t client) const {
    const auto its = [client](const auto& entry) { return entry.second.client == client; };
    const auto found = std::ranges::find_if(operations_, its);
    return found == operations_.end() ? std::nullopt : std::optional(found->first);
}

} // namespace tortoise::sim
