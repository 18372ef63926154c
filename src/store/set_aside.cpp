#include "store/set_aside.hpp"
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace tortoise::store {
namespace {

namespace fs = std::filesystem;

// The file first: a journal that lost its file is recognised as what it is, a file that lost its journal is not.
constexpr const char* parts[] = {"", "-wal", "-journal", "-rounds"};

bool any_there(const std::string& path) {
    std::error_code ignored;
    for (const auto* part : parts)
        if (fs::exists(fs::symlink_status(path + part, ignored))) return true;
    return false;
}

void sync_directory(const fs::path& directory) {
    // Where this fails the names may come back after a power failure, and the damage is found again.
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    static_cast<void>(::fsync(fd));
    ::close(fd);
}

} // namespace

Error set_aside(const std::string& path, const Error& why) {
    std::string aside;
    for (int n = 1; aside.empty() || any_there(aside); ++n) aside = path + ".damaged-" + std::to_string(n);
    std::error_code failed;
    for (const auto* part : parts) {
        std::error_code result;
        fs::rename(path + part, aside + part, result);
        if (result && result != std::errc::no_such_file_or_directory) failed = result;
    }
    sync_directory(fs::path(path).parent_path());
    if (failed) return make_error(Errc::store_damaged, why.text + "; it could not be renamed: " + failed.message());
    return make_error(Errc::store_damaged, why.text + "; it was renamed to '" + aside + "'");
}

} // namespace tortoise::store
