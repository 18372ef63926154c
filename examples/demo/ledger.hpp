#pragma once
/// Who sent what, what arrived, and what became of the rest: the demo's own book-keeping, kept apart from the
/// library's.

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tortoise/tortoise.hpp>
#include <utility>
#include <vector>

namespace demo {

class Ledger {
public:
    /// One line of the table: all messages of a topic, or one message that has a name.
    struct Row {
        std::string title;
        tortoise::QoS qos = tortoise::QoS::at_most_once;
        int sent = 0;
        int confirmed = 0; ///< publishes that ended with a receipt
        int expired = 0;
        int failed = 0;   ///< ended otherwise
        int arrived = 0;  ///< different messages that arrived
        int repeated = 0; ///< arrivals beyond the first

        int missing() const { return sent - expired - arrived; }
    };

    /// Publishes the message and writes down what becomes of it. Texts must differ within a topic.
    /// With a title the message gets a row of its own, otherwise it counts in the row of its topic.
    tortoise::Delivery publish(tortoise::Connection&, const std::string& topic, const std::string& text,
                               tortoise::PublishOptions, const std::string& title = {});
    /// A message that another program says it has accepted; it may have arrived already.
    void expect(const std::string& topic, const std::string& text, tortoise::QoS);
    void arrived(std::string_view topic, std::string_view text);

    /// Publishes that have not ended yet.
    int open() const;
    /// Messages of QoS 1 and 2 that neither arrived nor ended with an error.
    int on_their_way() const;
    /// Blocks until nothing is open or on its way; false after that time.
    bool wait_until_settled(std::chrono::seconds at_most);
    /// Blocks until that very message arrived; false after that time.
    bool wait_for(const std::string& topic, const std::string& text, std::chrono::seconds at_most);

    std::vector<Row> rows() const;

private:
    struct Entry {
        std::size_t row = 0;
        tortoise::QoS qos = tortoise::QoS::at_most_once;
        int arrivals = 0;
        bool ended = false;
        bool failed = false;
    };
    using Key = std::pair<std::string, std::string>; // topic and text

    std::size_t row_of(const std::string& title, tortoise::QoS);
    void ended(const Key&, const tortoise::Result<tortoise::Receipt>&);
    int open_locked() const;
    int on_their_way_locked() const;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Key, Entry> entries_;
    std::map<Key, int> early_; // arrivals of what is not expected yet
    std::vector<Row> rows_;
};

} // namespace demo
