// What a supervisor does when a child ends, and when it ends itself.
#include "client/registry.hpp"
#include "client/supervisor.hpp"
#include <algorithm>

namespace tortoise {

Supervisor::Core::Core(SupervisorOptions options, const Runtime& runtime)
    : options_(std::move(options)), runtime_(runtime), latch_(std::make_shared<io::Latch>()) {}

Supervisor::Core::~Core() = default;

// ---- Lives ---------------------------------------------------------------------------------------------------------

std::optional<Error> Supervisor::Core::begin(Gone gone, Effects& after) {
    std::lock_guard lock(mutex_);
    gone_ = std::move(gone);
    restarts_.clear();
    stopped_ = Stopping::adopt(new detail::PendingResult<Done>);
    ended_ = Stopping::adopt(new detail::PendingResult<Done>);
    if (!options_.name.empty() && !registry().supervisors.add(*this)) {
        why_ = make_error(Errc::invalid_option, "a supervisor '" + options_.name + "' is running");
        stopped_->answer(Done{});
        ended_->answer(*why_);
        after.finally(latch_);
        return why_;
    }
    state_ = State::running;
    why_.reset();
    for (auto& [key, slot] : slots_) restart(key, slot, after);
    return std::nullopt;
}

void Supervisor::Core::begin_life(Slot& slot) {
    ++slot.life;
    ++alive_;
    slot.state = ChildState::running;
    slot.then = Then::decide;
}

// Making one reads files and calls functions of the user's, who may ask for this supervisor in there: so, without the
// lock.
Result<detail::Ref<Connection::Core>> Supervisor::Core::connect(std::uint64_t key, unsigned life,
                                                                ConnectionOptions options) {
    auto gone = [self = detail::Ref<Core>::share(this), key, life](const Error& why) mutable {
        Effects after;
        const bool asked_for = why.code == Errc::stopped;
        self->child_ended(key, life, asked_for ? std::nullopt : std::optional(why), after);
        self = {}; // before those are told who wait for everything to be gone
    };
    auto core = Connection::Core::make(std::move(options), runtime_, std::move(gone));
    if (core->refused()) return core->error();
    std::lock_guard lock(mutex_);
    const auto at = slots_.find(key);
    const bool lives = at != slots_.end() && at->second.life == life && at->second.state != ChildState::waiting;
    if (!lives) return core;
    at->second.connection = core;
    if (at->second.state == ChildState::stopping) core->stop({}); // that was asked for meanwhile
    return core;
}

std::optional<Error> Supervisor::Core::start_supervisor(std::uint64_t key, Slot& slot, Effects& after) {
    if (!slot.supervisor) {
        slot.supervisor = detail::Ref<Core>::adopt(new Core(std::get<SupervisorOptions>(slot.spec), runtime_));
    }
    auto gone = [self = detail::Ref<Core>::share(this), key, life = slot.life](
                    const std::optional<Error>& why, Effects& more) { self->child_ended(key, life, why, more); };
    return slot.supervisor->begin(std::move(gone), after);
}

void Supervisor::Core::restart(std::uint64_t key, Slot& slot, Effects& after) {
    ++slot.restarts;
    begin_life(slot);
    if (auto* options = std::get_if<ConnectionOptions>(&slot.spec)) {
        after.then(
            [self = detail::Ref<Core>::share(this), key, life = slot.life, options = *options](Effects&) mutable {
                if (auto made = self->connect(key, life, std::move(options)); !made)
                    self->fail_later(key, life, std::move(made).error());
            });
    } else if (auto error = start_supervisor(key, slot, after)) {
        fail_later(key, slot.life, std::move(*error));
    }
}

// A start that failed is an end like others. It comes from a loop: failing again and again must not fill this stack.
void Supervisor::Core::fail_later(std::uint64_t key, unsigned life, Error why) {
    runtime_.loops().next().post([self = detail::Ref<Core>::share(this), key, life, why = std::move(why)]() mutable {
        Effects after;
        self->child_ended(key, life, why, after);
        self = {};
    });
}

// ---- Ends ----------------------------------------------------------------------------------------------------------

void Supervisor::Core::child_ended(std::uint64_t key, unsigned life, const std::optional<Error>& why, Effects& after) {
    std::lock_guard lock(mutex_);
    const auto at = slots_.find(key);
    if (at == slots_.end() || at->second.life != life || at->second.state == ChildState::waiting) return;
    auto& slot = at->second;
    after.keep(std::move(slot.connection));
    slot.connection = {};
    slot.last_error = why.value_or(make_error(Errc::stopped));
    slot.state = ChildState::waiting;
    --alive_;
    if (slot.then == Then::forget)
        forget(at, after);
    else if (slot.then == Then::decide && state_ == State::running)
        decide(key, slot.last_error, why.has_value(), after);
    proceed(after);
}

void Supervisor::Core::decide(std::uint64_t key, const Error& why, bool crashed, Effects& after) {
    const auto at = slots_.find(key);
    const auto restart = at->second.restart;
    if (restart == Restart::temporary || (restart == Restart::transient && !crashed)) {
        forget(at, after);
    } else if (within_budget()) {
        at->second.then = Then::restart;
        restarts_due_ = true;
        take_along(key, after);
    } else {
        stop_all({},
                 make_error(Errc::too_many_restarts, "more than " + std::to_string(options_.max_restarts) + " in " +
                                                         in_words(options_.within) + "; the last: '" + at->second.name +
                                                         "', " + why.describe()),
                 after);
    }
}

bool Supervisor::Core::within_budget() {
    const auto now = std::chrono::steady_clock::now();
    restarts_.push_back(now);
    while (now - restarts_.front() > options_.within) restarts_.pop_front();
    return restarts_.size() <= options_.max_restarts;
}

/// The others that are restarted with that one.
void Supervisor::Core::take_along(std::uint64_t key, Effects& after) {
    if (options_.strategy == Strategy::one_for_one) return;
    const auto last = options_.strategy == Strategy::one_for_all ? 0 : key;
    for (auto at = slots_.rbegin(); at != slots_.rend() && at->first > last; ++at) {
        auto& slot = at->second;
        if (at->first == key || slot.then != Then::decide) continue;
        slot.then = slot.restart == Restart::temporary ? Then::forget : Then::restart;
        stop_life(slot, {}, after);
    }
}

void Supervisor::Core::stop_life(Slot& slot, Duration drain, Effects& after) {
    slot.state = ChildState::stopping;
    if (slot.connection) slot.connection->stop(drain);
    if (slot.supervisor) slot.supervisor->stop(drain, after);
}

void Supervisor::Core::stop(Duration drain, Effects& after) {
    std::lock_guard lock(mutex_);
    if (state_ != State::running) return;
    stop_all(drain, std::nullopt, after);
    proceed(after);
}

void Supervisor::Core::stop_all(Duration drain, std::optional<Error> why, Effects& after) {
    state_ = State::stopping;
    why_ = std::move(why);
    for (auto at = slots_.rbegin(); at != slots_.rend(); ++at) {
        auto& slot = at->second;
        if (slot.state != ChildState::waiting) stop_life(slot, drain, after);
    }
}

Supervisor::Core::Slots::iterator Supervisor::Core::forget(Slots::iterator at, Effects& after) {
    for (auto& stop : at->second.stops) {
        after.then([stop = std::move(stop)](Effects&) { stop->answer(Done{}); });
    }
    by_name_.erase(at->second.name);
    if (at->second.state != ChildState::waiting) --alive_;
    after.keep(std::move(at->second));
    return slots_.erase(at);
}

void Supervisor::Core::proceed(Effects& after) {
    if (state_ == State::stopping && alive_ == 0) return finish(after);
    if (state_ != State::running || !restarts_due_ || restarts_are_held_up()) return;
    restarts_due_ = false;
    for (auto& [key, slot] : slots_) {
        if (slot.state == ChildState::waiting) restart(key, slot, after);
    }
}

/// First, all that have to go are gone.
bool Supervisor::Core::restarts_are_held_up() const {
    if (options_.strategy == Strategy::one_for_one) return false;
    return std::ranges::any_of(slots_, [](const auto& entry) { return entry.second.state == ChildState::stopping; });
}

void Supervisor::Core::finish(Effects& after) {
    state_ = State::ended;
    restarts_due_ = false;
    registry().supervisors.remove(*this);
    for (auto at = slots_.begin(); at != slots_.end();) {
        // One that is a child itself may be restarted, with these.
        const bool stays = gone_ && at->second.then != Then::forget && at->second.restart != Restart::temporary;
        at = stays ? std::next(at) : forget(at, after);
    }
    after.then([stopped = stopped_, ended = ended_, why = why_](Effects&) {
        ended->answer(why ? Result<Done>(*why) : Result<Done>(Done{}));
        stopped->answer(Done{});
    });
    if (gone_)
        after.then([gone = std::exchange(gone_, {}), why = why_](Effects& more) mutable { gone(why, more); });
    else
        after.finally(latch_);
}

} // namespace tortoise
