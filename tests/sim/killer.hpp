#pragma once
/// Ends the life of a program after a write of its store, and begins the next one.

#include "sim/scenario.hpp"

namespace tortoise::sim {

enum class Death { before_sending, while_sending, after_sending };
inline constexpr Death all_deaths[] = {Death::before_sending, Death::while_sending, Death::after_sending};

struct Fate {
    std::uint64_t write = 0; // after which one the program dies; counted from the first one that the killer sees
    Death death = Death::before_sending;
    bool keep_session = true; // at the broker
};

/// Watches the writes of one client from now on. What was sent, and depends on the write, is on its way or not.
class Killer {
public:
    Killer(World& world, std::uint32_t client, const ClientPlan& plan, Fate fate)
        : world_(world), client_(client), plan_(plan), fate_(fate) {
        world_.network.conditions.latency_min = world_.network.conditions.latency_max = std::chrono::milliseconds(1);
        world_.on_kept = [this](std::uint32_t who, std::uint64_t write) {
            if (who != client_) return;
            if (on_write) on_write();
            if (first_ == 0) first_ = write;
            if (write - first_ == fate_.write && !reached_) die();
        };
    }
    ~Killer() { world_.on_kept = {}; }
    Killer(const Killer&) = delete;
    Killer& operator=(const Killer&) = delete;

    /// There were that many writes.
    bool reached() const noexcept { return reached_; }

    std::function<void()> on_write;   // after each one, before what follows from it
    std::function<void()> on_restart; // the next life has begun

private:
    /// Now, or as soon as the octets that waited for the write are on their way, or have arrived.
    void die() {
        reached_ = true;
        if (fate_.death == Death::before_sending) return restart();
        world_.on_item = [this](const Item& item) {
            if (item.what == What::chaos) restart();
        };
        world_.schedule.add(world_.now() + (fate_.death == Death::while_sending ? std::chrono::microseconds(500)
                                                                                : std::chrono::microseconds(2500)),
                            What::chaos, 0);
    }
    void restart() {
        if (!fate_.keep_session) {
            world_.stop_broker();
            world_.start_broker(true);
        }
        world_.crash_and_restart(client_, plan_);
        if (on_restart) on_restart();
    }

    World& world_;
    const std::uint32_t client_;
    const ClientPlan plan_;
    const Fate fate_;
    std::uint64_t first_ = 0;
    bool reached_ = false;
};

} // namespace tortoise::sim
