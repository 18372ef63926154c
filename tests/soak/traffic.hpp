#pragma once
/// Who publishes and receives: connections in a ring, each of which reads what the one before writes, of both versions
/// and at all QoS, and a durable session that is ended and begun anew.

#include "soak/books.hpp"

#include <atomic>
#include <deque>
#include <jackalope/session.hpp>
#include <memory>
#include <random>
#include <tortoise/tortoise.hpp>

namespace soak {

inline tortoise::Version version_of(std::size_t member) {
    return member % 2 == 0 ? tortoise::Version::v5 : tortoise::Version::v3_1_1;
}
inline std::string topic_of(std::size_t member) { return "soak/" + std::to_string(member); }
inline const std::string topic_of_session = "soak/session";

inline std::vector<std::string> topics_of_ring(std::size_t size) {
    std::vector<std::string> topics = {topic_of_session};
    for (std::size_t i = 0; i < size; ++i) topics.push_back(topic_of(i));
    return topics;
}

class Traffic {
public:
    Traffic(const std::string& url, std::size_t size, std::string store, std::size_t room)
        : url_(url), store_(std::move(store)), books_(topics_of_ring(size), room), open_(size) {
        for (std::size_t i = 0; i < size; ++i) ring_.emplace_back(options_of(i, (i + size - 1) % size), runtime_);
        renew_session();
    }

    /// The next one in the ring publishes, unless much of it is open still.
    void publish() {
        const auto i = next_++ % ring_.size();
        if (open_[i] >= most_open) return;
        const auto topic = topic_of(i);
        const auto number = books_.publish(topic);
        ++open_[i];
        ring_[i]
            .publish(topic, payload(number), {.qos = qos_of(number)})
            .on_done([this, i, topic, number](const auto& end) {
                if (end) books_.accepted(topic, number);
                failed_ += !end;
                --open_[i];
            });
    }
    /// The session has promised a message when it is kept, whatever becomes of the session.
    void publish_by_session() {
        const auto number = books_.publish(topic_of_session);
        session_->publish(topic_of_session, payload(number), {.qos = qos_of(number)})
            .accepted()
            .on_done([this, number](const auto& kept) {
                if (kept) books_.accepted(topic_of_session, number);
            });
    }
    /// A new one, from what the last one left in the store.
    void renew_session() {
        session_.reset();
        session_.emplace(jackalope::SessionOptions{.client_id = "soak-session",
                                                   .server = url_,
                                                   .handler = jackalope::make_handler<jackalope::Handler>(),
                                                   .work_list = jackalope::DurableWorkList{tortoise::Store(store_),
                                                                                           {.messages = 100'000}},
                                                   .backoff = lively,
                                                   .connection = {.keep_alive = std::chrono::seconds(5)}},
                         runtime_);
    }

    std::size_t up() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(ring_, [](const auto& c) { return c.status() == tortoise::Status::up; }));
    }
    /// Is nothing on its way any more?
    bool is_settled() const {
        const auto work = session_->work();
        return up() == ring_.size() && work.waiting == 0 && work.in_flight == 0 &&
               std::ranges::all_of(open_, [](const auto& open) { return open == 0; });
    }
    const Books& books() const { return books_; }
    std::size_t arrived() const { return arrived_; }
    std::size_t failed() const { return failed_; } ///< deliveries of the ring that ended with an error
    std::uint64_t connects() const {
        std::uint64_t sum = 0;
        for (const auto& c : ring_) sum += c.statistics().connects;
        return sum;
    }

private:
    static constexpr int most_open = 50;
    static constexpr tortoise::Backoff lively = {.min = std::chrono::milliseconds(100), .max = std::chrono::seconds(2)};

    struct Hearing : tortoise::Handler {
        explicit Hearing(Traffic* t) : traffic(t) {}
        tortoise::Actions message(tortoise::Connection&, const tortoise::MessageView& m) override {
            traffic->books_.arrived(std::string(m.topic), std::stoul(std::string(m.payload)));
            ++traffic->arrived_;
            return {};
        }
        Traffic* traffic;
    };

    tortoise::ConnectionOptions options_of(std::size_t member, std::size_t before) {
        tortoise::ConnectionOptions options{.client_id = "soak-" + std::to_string(member),
                                            .server = url_,
                                            .handler = tortoise::make_handler<Hearing>(this),
                                            .subscriptions = {{topic_of(before), tortoise::QoS::exactly_once}},
                                            .version = version_of(member),
                                            .session = {.clean_start = false},
                                            .keep_alive = std::chrono::seconds(5),
                                            .connect_timeout = std::chrono::seconds(5),
                                            .backoff = lively};
        if (member == 0) options.subscriptions.emplace_back(topic_of_session, tortoise::QoS::exactly_once);
        return options;
    }
    /// The number, and up to a kibibyte behind it.
    std::string payload(std::size_t number) {
        return std::to_string(number) + ' ' + std::string(random_() % 1024, '.');
    }

    const std::string url_, store_;
    std::mt19937 random_{7};
    Books books_;
    std::deque<std::atomic<int>> open_;
    std::atomic<std::size_t> arrived_ = 0, failed_ = 0;
    std::size_t next_ = 0;
    tortoise::Runtime runtime_{2};
    std::deque<tortoise::Connection> ring_; // behind what its callbacks use
    std::optional<jackalope::Session> session_;
};

} // namespace soak
