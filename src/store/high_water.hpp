#pragma once
/// A note beside a store's file, `PATH-rounds`: how many rounds were reported as kept. A file or a journal that has fewer
/// was cut, or put back from a copy.

#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/result.hpp>
#include <utility>

namespace tortoise::store {

/// Never synced: a mark is written when its round is on disk, so after a power failure it is right or behind.
/// There is one as long as there is a journal.
class HighWater {
public:
    struct Mark {
        std::int64_t store = 0; ///< which store, made up when its file was made
        std::int64_t rounds = 0;
    };
    /// Nothing: there is none, or nothing that was written as one.
    static std::optional<Mark> read(const std::string& file);

    HighWater() noexcept = default;
    /// Opens or makes it.
    static Result<HighWater> open(const std::string& file);
    HighWater(HighWater&& other) noexcept : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}
    HighWater& operator=(HighWater&& other) noexcept {
        std::swap(file_, other.file_);
        std::swap(fd_, other.fd_);
        return *this;
    }
    /// Removes it if the journal is gone: then nothing is missing, and copies of the file may come and go.
    ~HighWater();

    /// A mark that cannot be written leaves the one before, which is true as well.
    void note(Mark) noexcept;

private:
    std::string file_; // of the store
    int fd_ = -1;
};

} // namespace tortoise::store
