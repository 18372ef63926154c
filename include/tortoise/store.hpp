#pragma once
/// Where sessions are kept so that they outlive the process: what waits to be sent, what is in flight with its packet
/// identifier and step, which QoS 2 messages were received. [MQTT-4.1.0-1] [MQTT-4.1.0-2]

#include <string>
#include <tortoise/detail/ref.hpp>
#include <tortoise/options.hpp>
#include <tortoise/result.hpp>

namespace tortoise {

/// What is promised when the acceptance of a publish is reported, and before anything that depends on it goes to the
/// broker.
enum class Durability : std::uint8_t {
    /// It is on disk: it survives kill -9 and the loss of power. Writes of many publishes share one sync of the file.
    on_disk,
    /// It will be within StoreOptions::interval. What a crash of the program or of the machine takes away is lost; and
    /// what
    /// was sent in that time may be sent again, QoS 2 included.
    periodic,
};

struct StoreOptions {
    Durability durability = Durability::on_disk;
    Duration interval = std::chrono::milliseconds(100); ///< of `periodic`: how often changes are written
    std::size_t unwritten =
        64u << 20; ///< bytes of changes that may wait for a slow disk; then connections wait with it
};

class StoreAdaptor; // store_adaptor.hpp

/// A handle to a store; copies share it. One store keeps many sessions (a file at most 65,535), named by their client id.
/// Every function may be called from any thread.
class Store {
public:
    /// None: nothing outlives the connection.
    Store() noexcept;
    /// A SQLite file, made if it is not there. Opens it here and now, which may block; what is wrong is told by ok():
    /// Errc::store_locked (another process uses it), store_damaged (it was renamed to PATH.damaged-N; nothing of it was
    /// changed), store_failed (read-only directory, disk full, … in the system's words).
    Store(std::string path, StoreOptions = {});
    Store(const char* path) : Store(std::string(path)) {}
    /// In memory: survives the connection, not the process.
    static Store memory();
    /// Takes over an adaptor made by `new`.
    explicit Store(StoreAdaptor*);
    Store(const Store&) noexcept;
    Store(Store&&) noexcept;
    Store& operator=(Store) noexcept;
    /// The last handle waits until everything is written, and closes the file.
    ~Store();

    explicit operator bool() const noexcept { return static_cast<bool>(shared_); }
    /// Could it be opened?
    Result<Done> ok() const;
    /// Null for no store, or one that could not be opened.
    StoreAdaptor* adaptor() const noexcept;

private:
    struct Shared;
    detail::Ref<Shared> shared_;
};

} // namespace tortoise
