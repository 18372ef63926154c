#pragma once
// A file system for SQLite that does its work with the usual one, and fails when it is told to.

#include <atomic>
#include <cstring>
#include <sqlite3.h>
#include <string>

namespace test {

/// Registered under its name as long as it lives. One at a time.
class FaultyVfs {
public:
    static constexpr const char* name = "tortoise-faulty";

    FaultyVfs() {
        usual_ = sqlite3_vfs_find(nullptr);
        vfs_ = *usual_;
        vfs_.zName = name;
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + usual_->szOsFile;
        vfs_.xOpen = open;
        vfs_.xDelete = [](sqlite3_vfs*, const char* path, int sync) {
            return hit() ? SQLITE_IOERR_DELETE : usual_->xDelete(usual_, path, sync);
        };
        sqlite3_vfs_register(&vfs_, 0);
        heal();
        calls_ = 0;
    }
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;
    ~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }

    /// What fails, and how: writes and truncations (a full disk), syncs, or anything that changes a file.
    enum class Fault { full, sync, any };
    /// From the n-th such call from now on (the first is 0), all of them, or only that one.
    void fail(Fault fault, long n, bool for_good = true) {
        fault_ = fault;
        for_good_ = for_good;
        left_ = n;
    }
    void heal() { left_ = -1; }
    /// How often a file was synced.
    long syncs() const { return syncs_; }
    /// Calls that could have failed, since the last question.
    long calls() { return calls_.exchange(0); }

private:
    struct File {
        sqlite3_file base;
        sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };
    static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

    static bool hit() {
        ++calls_;
        auto left = left_.load();
        if (left < 0) return false;
        if (left > 0) {
            left_ = left - 1;
            return false;
        }
        if (!for_good_) left_ = -1;
        return true;
    }
    static bool full() { return fault_ != Fault::sync && hit(); }
    static bool no_sync() { return fault_ != Fault::full && hit(); }

    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
        std::memset(file, 0, sizeof(File));
        const int code = usual_->xOpen(usual_, path, real(file), flags, out);
        if (real(file)->pMethods != nullptr) file->pMethods = methods();
        return code;
    }

    static const sqlite3_io_methods* methods() {
        static const sqlite3_io_methods all = [] {
            sqlite3_io_methods m = {};
            m.iVersion = 1;
            m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
            m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
                return real(f)->pMethods->xRead(real(f), to, n, at);
            };
            m.xWrite = [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
                // A disk that fills up takes a part.
                if (full()) {
                    real(f)->pMethods->xWrite(real(f), from, n / 2, at);
                    return SQLITE_FULL;
                }
                return real(f)->pMethods->xWrite(real(f), from, n, at);
            };
            m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
                return full() ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), size);
            };
            // Nobody cuts the power here: syncs are counted, and cost nothing.
            m.xSync = [](sqlite3_file*, int) {
                ++syncs_;
                return no_sync() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
            };
            m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
                return real(f)->pMethods->xFileSize(real(f), size);
            };
            m.xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); };
            m.xUnlock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); };
            m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
                return real(f)->pMethods->xCheckReservedLock(real(f), out);
            };
            m.xFileControl = [](sqlite3_file* f, int what, void* with) {
                return real(f)->pMethods->xFileControl(real(f), what, with);
            };
            m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
            m.xDeviceCharacteristics = [](sqlite3_file* f) {
                return real(f)->pMethods->xDeviceCharacteristics(real(f));
            };
            return m;
        }();
        return &all;
    }

    static inline sqlite3_vfs* usual_ = nullptr;
    static inline std::atomic<long> left_{-1};
    static inline std::atomic<long> calls_{0};
    static inline std::atomic<long> syncs_{0};
    static inline std::atomic<bool> for_good_{true};
    static inline std::atomic<Fault> fault_{Fault::any};
    sqlite3_vfs vfs_ = {};
};

} // namespace test
