#pragma once
/// The use of a session in a store, from loading it to letting it go.

#include "core/give_back.hpp"
#include <string>
#include <tortoise/store_adaptor.hpp>
#include <utility>
#include <vector>

namespace tortoise {

class KeptSession {
public:
    KeptSession() noexcept = default;
    /// What is wrong with the store, or with the session, is the error.
    static Result<KeptSession> load(const Store& store, std::string name) {
        if (auto ok = store.ok(); !ok) return std::move(ok).error();
        auto records = store.adaptor()->load(name);
        if (!records) return std::move(records).error();
        KeptSession session;
        session.store_ = store;
        session.name_ = std::move(name);
        session.records_ = std::move(*records);
        return session;
    }
    KeptSession(KeptSession&& other) noexcept
        : store_(std::exchange(other.store_, Store())), name_(std::move(other.name_)),
          records_(std::move(other.records_)) {}
    KeptSession& operator=(KeptSession other) noexcept {
        std::swap(store_, other.store_);
        name_.swap(other.name_);
        records_.swap(other.records_);
        return *this;
    }
    ~KeptSession() {
        if (store_) store_.adaptor()->release(name_);
    }

    explicit operator bool() const noexcept { return static_cast<bool>(store_); }
    StoreAdaptor* adaptor() const noexcept { return store_.adaptor(); }
    const std::string& name() const noexcept { return name_; }
    const std::vector<core::Record>& records() const noexcept { return records_; }
    void forget_records() noexcept { core::give_back(records_); }

private:
    Store store_;
    std::string name_;
    std::vector<core::Record> records_;
};

} // namespace tortoise
