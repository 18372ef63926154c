#pragma once
/// What is to be written, by whom, and who waits for it: the state that a SQLite store shares with its thread.

#include "store/coalesce.hpp"
#include "store/open.hpp"
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <tortoise/store_adaptor.hpp>
#include <unordered_map>

namespace tortoise::store {

class Writer {
public:
    Writer(StoreFile, const StoreOptions&);

    // What StoreAdaptor asks for, on any thread.
    Result<std::vector<core::Record>> load(std::string_view session);
    void release(std::string_view session);
    void write(std::string_view session, std::vector<core::RecordChange>, bool durable, StoreAdaptor::OnKept);
    bool busy() const noexcept { return unwritten_.load(std::memory_order_relaxed) >= options_.unwritten; }

    /// The thread's function: returns after stop(), when everything is written.
    void run();
    void stop();

private:
    struct Session {
        std::string name = {};
        // Of the loads and of the thread, under file_mutex_.
        std::int64_t number = 0;                     // in the file; 0: not there
        std::array<std::uint64_t, 4> free_from = {}; // by kind: no record in the file has this key or one above
        // Of everybody, under mutex_.
        bool in_use = false;
        std::size_t queued = 0;           // entries of it that are not through
        std::size_t waiting = 0;          // how many of them have an OnKept to call
        std::optional<Error> failed = {}; // set on the thread only while entries are queued
    };
    struct Entry {
        Session* session = nullptr;
        std::vector<core::RecordChange> changes = {};
        StoreAdaptor::OnKept on_kept = {};
        std::size_t bytes = 0;
        bool leaves = false;
    };
    using Round = std::vector<Entry>;
    struct HashName {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
    };

    Result<std::vector<core::Record>> read(Session&);
    void push(Entry, bool urgent);
    bool next(Round&);
    Result<Done> write(Round&);
    Result<Done> apply(Round&);
    Result<std::vector<Step>> steps_of(Round&);
    bool do_step(const Step&);
    Result<Done> clean_journal();
    void answer(Round&, const Error* failed);

    const StoreOptions options_;

    std::mutex file_mutex_; // held during a round and while a session is read; may be held for long
    StoreFile file_;
    bool stale_journal_ = false; // what a round that failed left in the journal has to go first

    std::mutex mutex_;                // held shortly
    std::condition_variable wake_;    // the thread: there is something to write
    std::condition_variable through_; // a load: entries are through
    std::unordered_map<std::string, Session, HashName, std::equal_to<>> sessions_;
    Round pending_;
    bool urgent_ = false;
    bool stopping_ = false;
    std::chrono::steady_clock::time_point first_pending_ = {};
    std::atomic<std::size_t> unwritten_{0};
};

} // namespace tortoise::store
