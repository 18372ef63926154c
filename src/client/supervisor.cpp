// The handles of supervisors, and what users ask of them.
#include "client/supervisor.hpp"
#include "client/registry.hpp"

namespace tortoise {

Supervisor::Supervisor(detail::Ref<Core> core, detail::Ref<Owner> owner) noexcept
    : core_(std::move(core)), owner_(std::move(owner)) {}

Supervisor::Supervisor(SupervisorOptions options, Runtime runtime)
    : core_(detail::Ref<Core>::adopt(new Core(std::move(options), runtime))),
      owner_(detail::Ref<Owner>::adopt(new Owner(core_))) {
    Effects after;
    core_->begin({}, after);
}

Supervisor::Supervisor(const Supervisor&) noexcept = default;
// A handle that does not own stays of use, whatever is made of it.
Supervisor::Supervisor(Supervisor&& other) noexcept
    : core_(other.owner_ ? std::move(other.core_) : other.core_), owner_(std::move(other.owner_)) {}
Supervisor& Supervisor::operator=(const Supervisor&) noexcept = default;
Supervisor& Supervisor::operator=(Supervisor&& other) noexcept {
    Supervisor taken(std::move(other));
    std::swap(core_, taken.core_);
    std::swap(owner_, taken.owner_);
    return *this;
}
Supervisor::~Supervisor() = default;

Supervisor Supervisor::standard() {
    struct Standard {
        Runtime runtime = Runtime::shared(); // which is not destroyed before this
        std::mutex mutex;
        std::optional<Supervisor> present;
    };
    static Standard standard;
    std::optional<Supervisor> former; // goes without the lock
    std::lock_guard lock(standard.mutex);
    if (!standard.present || !standard.present->core_->running()) {
        former = std::exchange(standard.present, Supervisor({}, standard.runtime));
    }
    return {standard.present->core_, detail::Ref<Owner>()};
}

Result<Supervisor> Supervisor::find(std::string_view name) {
    if (auto core = registry().supervisors.find(name)) return Supervisor(std::move(core), detail::Ref<Owner>());
    return make_error(Errc::unknown_supervisor, "no supervisor '" + std::string(name) + "' is running");
}

Result<Connection> Supervisor::start(Child child) { return core_->start(std::move(child)); }
Result<Supervisor> Supervisor::start(SupervisorOptions o, Restart restart) {
    return core_->start(std::move(o), restart);
}
Result<Connection> Supervisor::find_child(std::string_view name) const { return core_->find_child(name); }
std::vector<ChildInfo> Supervisor::children() const { return core_->children(); }
Pending<Done> Supervisor::stop_child(std::string_view name, Duration drain) { return core_->stop_child(name, drain); }
Pending<Done> Supervisor::stop(Duration drain) { return core_->stop(drain); }
Pending<Done> Supervisor::ended() const { return core_->ended(); }

// ---- What users ask of them ----------------------------------------------------------------------------------------

Supervisor Supervisor::Core::handle(detail::Ref<Core> core) noexcept { return {std::move(core), detail::Ref<Owner>()}; }

bool Supervisor::Core::running() const {
    std::lock_guard lock(mutex_);
    return state_ == State::running;
}

Error Supervisor::Core::not_running() const {
    return make_error(Errc::stopped, "the supervisor " +
                                         std::string(state_ == State::ended ? "has ended" : "is ending") +
                                         (why_ ? ": " + why_->describe() : std::string()));
}

std::optional<Error> Supervisor::Core::check_name(const std::string& name) const {
    if (state_ != State::running) return not_running();
    if (by_name_.contains(name)) return make_error(Errc::invalid_option, "a child '" + name + "' is there already");
    return std::nullopt;
}

Supervisor::Core::Slot& Supervisor::Core::add(std::string name, std::variant<ConnectionOptions, SupervisorOptions> spec,
                                              Restart restart, std::uint64_t& key) {
    key = next_key_++;
    by_name_[name] = key;
    return slots_.emplace(key, Slot{.name = std::move(name), .spec = std::move(spec), .restart = restart})
        .first->second;
}

Result<Connection> Supervisor::Core::start(Child child) {
    auto& options = child.connection;
    if (options.client_id.empty()) options.client_id = made_up_client_id(); // the same in all its lives
    options.first_connect_delay = std::max(options.first_connect_delay, options_.spread);
    auto name = child.name.empty() ? options.client_id : std::move(child.name);
    std::uint64_t key = 0;
    unsigned life = 0;
    {
        std::lock_guard lock(mutex_);
        if (auto error = check_name(name)) return std::move(*error);
        auto& slot = add(std::move(name), options, child.restart, key);
        begin_life(slot);
        life = slot.life;
    }
    auto made = connect(key, life, std::move(options));
    if (made) return Connection::Core::handle(std::move(*made));
    Effects after;
    std::lock_guard lock(mutex_);
    forget(slots_.find(key), after);
    proceed(after); // others may have waited for it
    return std::move(made).error();
}

Result<Supervisor> Supervisor::Core::start(SupervisorOptions options, Restart restart) {
    Effects after;
    std::lock_guard lock(mutex_);
    auto name = options.name.empty() ? "supervisor-" + std::to_string(next_key_) : options.name;
    if (auto error = check_name(name)) return std::move(*error);
    std::uint64_t key = 0;
    auto& slot = add(std::move(name), std::move(options), restart, key);
    begin_life(slot);
    if (auto error = start_supervisor(key, slot, after)) {
        forget(slots_.find(key), after);
        return std::move(*error);
    }
    return handle(slot.supervisor);
}

Result<Connection> Supervisor::Core::find_child(std::string_view name) const {
    std::lock_guard lock(mutex_);
    const auto key = by_name_.find(std::string(name));
    if (key != by_name_.end()) {
        const auto& slot = slots_.at(key->second);
        if (slot.connection) return Connection::Core::handle(slot.connection);
    }
    return make_error(Errc::unknown_connection, "no connection '" + std::string(name) + "' among the children");
}

std::vector<ChildInfo> Supervisor::Core::children() const {
    std::lock_guard lock(mutex_);
    std::vector<ChildInfo> list;
    for (const auto& [key, slot] : slots_) {
        ChildInfo info{.name = slot.name, .restarts = slot.restarts, .last_error = slot.last_error};
        info.is_supervisor = std::holds_alternative<SupervisorOptions>(slot.spec);
        info.status = slot.state == ChildState::waiting ? Status::stopped
                      : info.is_supervisor              ? Status::up
                      : slot.connection                 ? slot.connection->status()
                                                        : Status::connecting; // it is being made
        list.push_back(std::move(info));
    }
    return list;
}

Pending<Done> Supervisor::Core::stop_child(std::string_view name, Duration drain) {
    Effects after;
    std::lock_guard lock(mutex_);
    const auto key = by_name_.find(std::string(name));
    if (key == by_name_.end()) {
        return Pending<Done>(
            Result<Done>(make_error(Errc::unknown_connection, "no child '" + std::string(name) + "'")));
    }
    const auto at = slots_.find(key->second);
    auto& slot = at->second;
    auto stop = Stopping::adopt(new detail::PendingResult<Done>);
    slot.stops.push_back(stop);
    slot.then = Then::forget;
    if (slot.state == ChildState::waiting)
        forget(at, after);
    else
        stop_life(slot, drain, after);
    proceed(after); // others may have waited for it
    return Pending<Done>(std::move(stop));
}

Pending<Done> Supervisor::Core::stop(Duration drain) {
    Effects after;
    const auto stopped = [this] {
        std::lock_guard lock(mutex_);
        return stopped_;
    }();
    stop(drain, after);
    return Pending<Done>(stopped);
}

Pending<Done> Supervisor::Core::ended() const {
    std::lock_guard lock(mutex_);
    return Pending<Done>(ended_);
}

void Supervisor::Core::end() {
    stop(Duration{});
    if (runtime_.loops().may_be_awaited()) latch_->wait();
}

} // namespace tortoise
