#pragma once
/// What happens next in the simulated world: a queue of plain facts, by time, then by the order in which they were
/// added.

#include <cstdint>
#include <queue>
#include <tortoise/core/time.hpp>
#include <vector>

namespace tortoise::sim {

using core::Time;

enum class Side : std::uint8_t { client = 0, broker = 1 };
constexpr Side other(Side s) noexcept { return s == Side::client ? Side::broker : Side::client; }

enum class What : std::uint8_t {
    // of the network; `who` is a link
    accept,        // the broker's host accepts the connection
    opened,        // the client's host learns of it
    refused,       // nobody listens
    write,         // octets that were handed over go out
    wrote,         // … and the sender hears of it
    arrive,        // octets reach the other host
    read,          // the other program reads what is left
    end_of_stream, // a program learns that the connection ended
    closed,        // a program's own close is done
    // of the world; `who` is a client
    act,         // a user does something
    kept,        // the oldest write to the client's disk is kept; `amount` is the client's life
    acknowledge, // a user acknowledges a message, late
    chaos,       // something breaks
    broker_start,
};

struct Item {
    Time at = {};
    std::uint64_t order = 0;
    What what = What::act;
    Side side = Side::client;
    std::uint32_t who = 0;
    std::uint64_t amount = 0;
};

class Schedule {
public:
    void add(Time at, What what, std::uint32_t who, Side side = Side::client, std::uint64_t amount = 0) {
        items_.push({at, next_++, what, side, who, amount});
    }
    bool empty() const noexcept { return items_.empty(); }
    const Item& top() const { return items_.top(); }
    Item pop() {
        const Item item = items_.top();
        items_.pop();
        return item;
    }

private:
    struct Later {
        bool operator()(const Item& a, const Item& b) const noexcept {
            return a.at != b.at ? a.at > b.at : a.order > b.order;
        }
    };
    std::priority_queue<Item, std::vector<Item>, Later> items_;
    std::uint64_t next_ = 0;
};

} // namespace tortoise::sim
