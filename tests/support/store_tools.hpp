#pragma once
// What tests of stores share: changes in short, answers to wait for, folders, and what a store has to hold.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <tortoise/store_adaptor.hpp>
#include <unistd.h>
#include <vector>

namespace test {

using tortoise::core::Record;
using tortoise::core::RecordChange;
using tortoise::core::RecordKind;
using Records = std::vector<Record>;
using Changes = std::vector<RecordChange>;

inline Record message(std::uint64_t key, std::string value = {}, std::uint64_t mark = 0) {
    return {RecordKind::message, key, mark, std::move(value)};
}
inline RecordChange put(Record record) { return {RecordChange::Action::put, std::move(record)}; }
inline RecordChange put(std::uint64_t key, std::string value, std::uint64_t mark = 0) {
    return put(message(key, std::move(value), mark));
}
inline RecordChange mark(std::uint64_t key, std::uint64_t mark) {
    return {RecordChange::Action::mark, message(key, {}, mark)};
}
inline RecordChange erase(std::uint64_t key) { return {RecordChange::Action::erase, message(key)}; }

/// The answers of OnKept, in their order. Thread-safe; must outlive the writes.
class Answers {
public:
    struct Answer {
        int write = 0;
        std::optional<tortoise::Error> failed = {};
    };
    /// For the write of that number.
    tortoise::StoreAdaptor::OnKept on_kept(int write) {
        return [this, write](const tortoise::Error* failed) {
            std::lock_guard lock(mutex_);
            answers_.push_back({write, failed != nullptr ? std::optional(*failed) : std::nullopt});
            changed_.notify_all();
        };
    }
    /// So many of them, once they are there.
    std::vector<Answer> wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return answers_.size() >= count; });
        return answers_;
    }
    std::size_t count() {
        std::lock_guard lock(mutex_);
        return answers_.size();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Answer> answers_;
};

/// Writes durably and waits for the answer.
inline tortoise::Result<tortoise::Done> keep(tortoise::StoreAdaptor& adaptor, std::string_view session,
                                             Changes changes) {
    Answers answers;
    adaptor.write(session, std::move(changes), true, answers.on_kept(0));
    const auto answer = answers.wait(1).front();
    if (answer.failed) return *answer.failed;
    return tortoise::Done();
}

/// What a session has to hold after these changes.
class Model {
public:
    void apply(const Changes& changes) {
        for (const auto& [action, record] : changes) {
            const std::pair id(record.kind, record.key);
            if (action == RecordChange::Action::put)
                records_[id] = record;
            else if (action == RecordChange::Action::erase)
                records_.erase(id);
            else if (const auto at = records_.find(id); at != records_.end())
                at->second.mark = record.mark;
        }
    }
    Records records() const {
        Records all;
        for (const auto& [id, record] : records_) all.push_back(record);
        return all;
    }

private:
    std::map<std::pair<RecordKind, std::uint64_t>, Record> records_;
};

/// A write of a few changes among few keys, so that they meet.
inline Changes random_changes(std::mt19937_64& random) {
    Changes changes(1 + random() % 6);
    for (auto& [action, record] : changes) {
        action = static_cast<RecordChange::Action>(random() % 3);
        record.kind = static_cast<RecordKind>(1 + random() % 3);
        record.key = random() % 12;
        record.mark = random() % 3 == 0 ? random() : random() % 4;
        if (action == RecordChange::Action::put)
            record.value.assign(random() % 50 == 0 ? 20000 : random() % 100, static_cast<char>(random()));
    }
    return changes;
}

/// A folder of the test's own, removed at its end.
class Folder {
public:
    Folder() {
        static std::atomic<int> count{0};
        // In memory where there is such a file system: thousands of syncs of a real disk take minutes and show nothing
        // more.
        const std::filesystem::path memory = "/dev/shm";
        const bool usable = ::access(memory.c_str(), R_OK | W_OK | X_OK) == 0;
        path_ = (usable ? memory : std::filesystem::temp_directory_path()) /
                ("tortoise-store-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline std::string octets_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_octets(const std::string& path, const std::string& octets) {
    std::ofstream(path, std::ios::binary).write(octets.data(), static_cast<std::streamsize>(octets.size()));
}

} // namespace test
