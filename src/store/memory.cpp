#include "store/memory.hpp"
#include <map>
#include <mutex>

namespace tortoise::store {
namespace {

class Memory final : public StoreAdaptor {
public:
    Result<std::vector<core::Record>> load(std::string_view session) override {
        std::lock_guard lock(mutex_);
        auto& its = sessions_[std::string(session)];
        if (its.in_use)
            return make_error(Errc::store_locked, "the session '" + std::string(session) + "' is in use already");
        its.in_use = true;
        std::vector<core::Record> records;
        records.reserve(its.records.size());
        for (const auto& [id, record] : its.records) records.push_back(record);
        return records;
    }

    void release(std::string_view session) override {
        std::lock_guard lock(mutex_);
        const auto at = sessions_.find(session);
        if (at == sessions_.end()) return;
        at->second.in_use = false;
        if (at->second.records.empty()) sessions_.erase(at);
    }

    void write(std::string_view session, std::vector<core::RecordChange> changes, bool, OnKept on_kept) override {
        if (apply(session, changes)) return on_kept(nullptr);
        const auto failed = make_error(Errc::store_failed, "the session '" + std::string(session) + "' is not in use");
        on_kept(&failed);
    }

    bool busy() const noexcept override { return false; }

private:
    struct Session {
        bool in_use = false;
        std::map<std::pair<core::RecordKind, std::uint64_t>, core::Record> records = {};
    };

    bool apply(std::string_view session, std::vector<core::RecordChange>& changes) {
        std::lock_guard lock(mutex_);
        const auto at = sessions_.find(session);
        if (at == sessions_.end() || !at->second.in_use) return false;
        auto& records = at->second.records;
        for (auto& [action, record] : changes) {
            const std::pair id(record.kind, record.key);
            if (action == core::RecordChange::Action::put)
                records.insert_or_assign(id, std::move(record));
            else if (action == core::RecordChange::Action::erase)
                records.erase(id);
            else if (const auto there = records.find(id); there != records.end())
                there->second.mark = record.mark;
        }
        return true;
    }

    std::mutex mutex_;
    std::map<std::string, Session, std::less<>> sessions_;
};

} // namespace

StoreAdaptor* new_memory() { return new Memory; }

} // namespace tortoise::store
