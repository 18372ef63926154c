#include "client/replies.hpp"
#include <exception>

namespace tortoise {

namespace {

void append_octets(std::string& to, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) to += static_cast<char>(number >> shift);
}

} // namespace

void Replies::Asked::fail(const Error& why) const {
    if (one) one->answer(why);
    if (many) many->answer(why);
}

void Replies::Asked::time_over() const {
    if (one) one->answer(make_error(Errc::timeout, "no reply in time"));
    if (many) many->answer(replies);
}

std::string Replies::correlation(Number number) const {
    std::string octets;
    append_octets(octets, secret_);
    append_octets(octets, number);
    return octets;
}

std::string Replies::response_topic(std::string_view client_id, std::string_view information) const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string topic(information.empty() ? std::string_view("tortoise/replies") : information);
    topic += '/';
    for (const char c : client_id) topic += c == '+' || c == '#' || c == '/' ? '_' : c;
    topic += '/';
    for (int shift = 60; shift >= 0; shift -= 4) topic += digits[(secret_ >> shift) & 15];
    return topic;
}

bool Replies::leave(const std::string& response_topic) {
    const auto at = users_.find(response_topic);
    if (--at->second > 0) return false;
    users_.erase(at);
    return true;
}

void Replies::open(Number number, Asked asked) {
    due_.emplace(asked.until, number);
    by_topic_[asked.response_topic].insert(number);
    open_.emplace(number, std::move(asked));
}

Replies::Asked Replies::take(Open::iterator at) {
    const auto number = at->first;
    Asked asked = std::move(at->second);
    open_.erase(at);
    due_.erase({asked.until, number});
    const auto topic = by_topic_.find(asked.response_topic);
    topic->second.erase(number);
    if (topic->second.empty()) by_topic_.erase(topic);
    left_(asked.response_topic);
    return asked;
}

Replies::Open::iterator Replies::meant_by(const MessageView& reply) {
    const auto topic = by_topic_.find(std::string(reply.topic));
    if (topic == by_topic_.end()) return open_.end();
    if (version_ == Version::v3_1_1) return open_.find(*topic->second.begin());
    const auto data = reply.properties.get(property::correlation_data).value_or(Octets());
    if (data.size() != 16) return open_.end();
    Number number = 0;
    for (const char c : data.substr(8)) number = (number << 8) | static_cast<unsigned char>(c);
    return data == correlation(number) && topic->second.contains(number) ? open_.find(number) : open_.end();
}

void Replies::arrived(Connection& connection, const MessageView& reply) {
    const auto at = meant_by(reply);
    if (at == open_.end()) return; // it came too late
    if (at->second.one) return take(at).one->answer(Message(reply));
    ++at->second.replies;
    at->second.each(connection, reply);
}

void Replies::fail(Number number, const Error& why) {
    if (const auto at = open_.find(number); at != open_.end()) take(at).fail(why);
}

void Replies::fail_all(const std::string& response_topic, const Error& why) {
    const auto topic = by_topic_.find(response_topic);
    if (topic == by_topic_.end()) return;
    for (const auto number : std::set<Number>(topic->second)) fail(number, why);
}

void Replies::end(const Error& why) {
    std::exception_ptr thrown; // by a continuation; the others are told all the same
    while (!open_.empty()) {
        try {
            take(open_.begin()).fail(why);
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    if (thrown) std::rethrow_exception(thrown);
}

void Replies::elapsed(core::Time now) {
    while (!due_.empty() && due_.begin()->first <= now) take(open_.find(due_.begin()->second)).time_over();
}

std::optional<core::Time> Replies::next_due() const {
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

} // namespace tortoise
