#include "store/writer.hpp"
#include <algorithm>

namespace tortoise::store {
namespace {

using Action = core::RecordChange::Action;
using Clock = std::chrono::steady_clock;

std::size_t size_of(const std::vector<core::RecordChange>& changes) {
    auto bytes = changes.size() * sizeof(core::RecordChange);
    for (const auto& change : changes) bytes += change.record.value.size();
    return bytes;
}

/// So that deadlines do not overflow, and a single change is not too much.
StoreOptions sane(StoreOptions options) {
    options.interval = std::clamp(options.interval, Duration(0), Duration(std::chrono::hours(1)));
    options.unwritten = std::max(options.unwritten, std::size_t{1});
    return options;
}

Error not_in_use(std::string_view session) {
    return make_error(Errc::store_failed, "the session '" + std::string(session) + "' is not in use");
}

} // namespace

Writer::Writer(StoreFile file, const StoreOptions& options) : options_(sane(options)), file_(std::move(file)) {}

Result<std::vector<core::Record>> Writer::load(std::string_view session) {
    Session* its = nullptr;
    {
        std::unique_lock lock(mutex_);
        const auto [at, made] = sessions_.try_emplace(std::string(session));
        its = &at->second;
        if (made) its->name = session; // the thread reads it: never again
        if (its->in_use)
            return make_error(Errc::store_locked, "the session '" + std::string(session) + "' is in use already");
        its->in_use = true;
        if (its->queued > 0) {
            urgent_ = true;
            wake_.notify_one();
            through_.wait(lock, [its] { return its->queued == 0; });
        }
        its->failed.reset();
    }
    auto records = read(*its);
    if (!records) release(session);
    return records;
}

Result<std::vector<core::Record>> Writer::read(Session& session) {
    std::lock_guard lock(file_mutex_);
    const auto number = file_.records.find(file_.database, session.name);
    if (!number) return number.error();
    session.number = *number;
    session.free_from = {};
    if (*number == 0) return std::vector<core::Record>();
    auto records = file_.records.load(file_.database, *number);
    if (!records) return records;
    for (const auto& record : *records) session.free_from[static_cast<std::size_t>(record.kind)] = record.key + 1;
    return records;
}

void Writer::release(std::string_view session) {
    std::lock_guard lock(mutex_);
    const auto at = sessions_.find(session);
    if (at == sessions_.end() || !at->second.in_use) return;
    at->second.in_use = false;
    push({.session = &at->second, .leaves = true}, false);
}

void Writer::write(std::string_view session, std::vector<core::RecordChange> changes, bool durable,
                   StoreAdaptor::OnKept on_kept) {
    std::optional<Error> failed;
    {
        std::lock_guard lock(mutex_);
        const auto at = sessions_.find(session);
        const bool in_use = at != sessions_.end() && at->second.in_use;
        if (!in_use)
            failed = not_in_use(session);
        else if (at->second.failed && at->second.queued == 0)
            failed = at->second.failed;
        else {
            auto& its = at->second;
            Entry entry{.session = &its, .changes = std::move(changes)};
            entry.bytes = size_of(entry.changes);
            unwritten_.fetch_add(entry.bytes, std::memory_order_relaxed);
            // Kept at once if that is all that is promised; but whoever has to wait for a slow disk is told when it is
            // over, and whoever comes later is not told earlier.
            const bool periodic = options_.durability == Durability::periodic;
            const bool at_once = periodic && its.waiting == 0 && !its.failed && !busy();
            if (!at_once) {
                entry.on_kept = std::move(on_kept);
                ++its.waiting;
            }
            push(std::move(entry), busy() || (durable && !periodic));
            if (!at_once) return;
        }
    }
    on_kept(failed ? &*failed : nullptr);
}

void Writer::push(Entry entry, bool urgent) {
    const bool first = pending_.empty();
    if (first) first_pending_ = Clock::now();
    ++entry.session->queued;
    pending_.push_back(std::move(entry));
    const bool told = urgent_;
    urgent_ |= urgent;
    if (first || urgent_ != told) wake_.notify_one();
}

void Writer::stop() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
}

void Writer::run() {
    for (Round round; next(round); round.clear()) {
        const auto written = write(round);
        answer(round, written ? nullptr : &written.error());
    }
}

/// Waits for the next round; false when there will be none.
bool Writer::next(Round& round) {
    std::unique_lock lock(mutex_);
    const auto now = [this] { return urgent_ || stopping_; };
    wake_.wait(lock, [&] { return now() || !pending_.empty(); });
    if (!now()) wake_.wait_until(lock, first_pending_ + options_.interval, now);
    round.swap(pending_);
    urgent_ = false;
    return !round.empty() || !stopping_;
}

/// One transaction; nothing of it, if it fails.
Result<Done> Writer::write(Round& round) {
    std::lock_guard lock(file_mutex_);
    auto applied = apply(round);
    if (!applied) {
        file_.database.rollback();
        for (auto& entry : round) entry.session->number = 0;
        // What was written of the round may lie in the journal as if it were whole; it must not come back.
        stale_journal_ = !clean_journal();
        return applied;
    }
    file_.rounds.committed();
    file_.high_water.note(file_.rounds.mark());
    return applied;
}

Result<Done> Writer::apply(Round& round) {
    auto& database = file_.database;
    if (stale_journal_) {
        if (auto cleaned = clean_journal(); !cleaned) return cleaned;
        stale_journal_ = false;
    }
    if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) return begun;
    auto steps = steps_of(round);
    if (!steps) return std::move(steps).error();
    coalesce(*steps);
    for (const auto& step : *steps)
        if (!do_step(step)) return database.error();
    for (const auto& entry : round)
        if (entry.leaves && entry.session->number != 0 && !file_.records.leave(entry.session->number))
            return database.error();
    if (!file_.rounds.count()) return database.error();
    return database.run("COMMIT");
}

/// What the round does to the file; sessions that are new to it get their number.
Result<std::vector<Step>> Writer::steps_of(Round& round) {
    std::vector<Step> steps;
    for (auto& entry : round) {
        auto& session = *entry.session;
        if (session.failed || entry.changes.empty()) continue;
        if (session.number == 0) {
            const auto number = file_.records.add(file_.database, session.name);
            if (!number) return number.error();
            session.number = *number;
        }
        for (const auto& [action, record] : entry.changes) {
            const auto id = RecordId::of(session.number, record.kind, record.key);
            if (!id)
                return make_error(Errc::store_failed, "a record of the session '" + session.name +
                                                          "' has a key or a kind "
                                                          "that cannot be kept");
            const bool is_new = record.key >= session.free_from[static_cast<std::size_t>(record.kind)];
            steps.push_back({*id, action, is_new, record.mark, &record.value});
        }
    }
    for (auto& entry : round) {
        if (entry.session->failed) continue;
        for (const auto& [action, record] : entry.changes) {
            auto& from = entry.session->free_from[static_cast<std::size_t>(record.kind)];
            if (action == Action::put) from = std::max(from, record.key + 1);
        }
    }
    return steps;
}

bool Writer::do_step(const Step& step) {
    switch (step.action) {
    case Action::put: return file_.records.put(step.id, step.mark, *step.value);
    case Action::mark: return file_.records.mark(step.id, step.mark);
    case Action::erase: return file_.records.erase(step.id);
    }
    return false;
}

Result<Done> Writer::clean_journal() {
    auto busy = file_.database.number("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!busy) return std::move(busy).error();
    if (*busy != 0)
        return make_error(Errc::store_failed, "'" + file_.database.path() + "': its journal cannot be emptied");
    return Done();
}

/// Tells everybody who waits, in the order of the writes.
void Writer::answer(Round& round, const Error* failed) {
    {
        std::lock_guard lock(mutex_);
        for (auto& entry : round) {
            unwritten_.fetch_sub(entry.bytes, std::memory_order_relaxed);
            auto& its = *entry.session;
            if (failed != nullptr && !entry.changes.empty() && !its.failed) its.failed = *failed;
        }
    }
    for (auto& entry : round)
        if (entry.on_kept) entry.on_kept(entry.session->failed ? &*entry.session->failed : nullptr);
    std::lock_guard lock(mutex_);
    for (auto& entry : round) {
        auto& its = *entry.session;
        --its.queued;
        if (entry.on_kept) --its.waiting;
        if (its.queued == 0 && !its.in_use) sessions_.erase(sessions_.find(its.name));
    }
    through_.notify_all();
}

} // namespace tortoise::store
