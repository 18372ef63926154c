#include "store/high_water.hpp"
#include "store/checksum.hpp"
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace tortoise::store {
namespace {

/// Store, rounds, and the checksum of both; of this machine's order of octets, as it stays beside its file.
struct Octets {
    std::array<char, 20> octets = {};

    static Octets of(HighWater::Mark mark) noexcept {
        Octets all;
        std::memcpy(all.octets.data(), &mark.store, 8);
        std::memcpy(all.octets.data() + 8, &mark.rounds, 8);
        const std::uint32_t sum = checksum(std::string_view(all.octets.data(), 16));
        std::memcpy(all.octets.data() + 16, &sum, 4);
        return all;
    }
    HighWater::Mark mark() const noexcept {
        HighWater::Mark mark;
        std::memcpy(&mark.store, octets.data(), 8);
        std::memcpy(&mark.rounds, octets.data() + 8, 8);
        return mark;
    }
};

std::string path_of(const std::string& file) { return file + "-rounds"; }

} // namespace

std::optional<HighWater::Mark> HighWater::read(const std::string& file) {
    const int fd = ::open(path_of(file).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    Octets found;
    const auto got = ::pread(fd, found.octets.data(), found.octets.size(), 0);
    ::close(fd);
    if (got != static_cast<ssize_t>(found.octets.size())) return std::nullopt;
    const auto mark = found.mark();
    if (Octets::of(mark).octets != found.octets) return std::nullopt;
    return mark;
}

Result<HighWater> HighWater::open(const std::string& file) {
    HighWater made;
    made.fd_ = ::open(path_of(file).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (made.fd_ < 0)
        return make_error(Errc::store_failed, "'" + path_of(file) + "': " + std::generic_category().message(errno));
    made.file_ = file;
    return made;
}

HighWater::~HighWater() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (::access((file_ + "-wal").c_str(), F_OK) != 0) ::unlink(path_of(file_).c_str());
}

void HighWater::note(Mark mark) noexcept {
    const auto all = Octets::of(mark);
    static_cast<void>(!::pwrite(fd_, all.octets.data(), all.octets.size(), 0));
}

} // namespace tortoise::store
