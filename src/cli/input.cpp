#include "input.hpp"
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace cli {

using tortoise::Errc;
using tortoise::Error;
using tortoise::make_error;
using tortoise::Result;

namespace {

constexpr std::size_t chunk = 64 * 1024;

Error cannot_read(std::string_view name) {
    const std::error_code code(errno, std::system_category());
    return {code, fmt::format("cannot read {}: {}", name, code.message())};
}

Error too_long(std::string_view name) {
    return make_error(Errc::packet_too_large,
                      fmt::format("{} is longer than the {} octets of the largest MQTT packet", name, largest_payload));
}

/// Appends what one read gives; 0 at the end.
Result<std::size_t> read_more(int fd, std::string& into, std::string_view name) {
    const auto before = into.size();
    into.resize(before + chunk);
    while (true) {
        const auto got = ::read(fd, into.data() + before, chunk);
        if (got < 0 && errno == EINTR) continue;
        into.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got < 0) return cannot_read(name);
        return static_cast<std::size_t>(got);
    }
}

} // namespace

Result<std::string> read_all(int fd, std::string_view name) {
    std::string all;
    while (true) {
        const auto got = read_more(fd, all, name);
        if (!got) return got.error();
        if (*got == 0) return all;
        if (all.size() > largest_payload) return too_long(name);
    }
}

Result<std::string> read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_read(path);
    auto all = read_all(fd, path);
    ::close(fd);
    return all;
}

Result<std::optional<std::string_view>> Lines::next() {
    while (true) {
        const auto end = buffer_.find('\n', scanned_);
        if (end != std::string::npos) {
            const auto line = std::string_view(buffer_).substr(begin_, end - begin_);
            begin_ = scanned_ = end + 1;
            return std::optional(line);
        }
        if (ended_) {
            if (begin_ == buffer_.size()) return std::optional<std::string_view>();
            const auto line = std::string_view(buffer_).substr(begin_);
            begin_ = scanned_ = buffer_.size();
            return std::optional(line);
        }
        buffer_.erase(0, begin_);
        begin_ = 0;
        scanned_ = buffer_.size();
        if (buffer_.size() > largest_payload) return too_long("a line of standard input");
        const auto got = read_more(fd_, buffer_, "standard input");
        if (!got) return got.error();
        ended_ = *got == 0;
    }
}

} // namespace cli
