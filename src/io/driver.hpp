#pragma once
/// The one place that calls both a client engine and a loop.

#include "core/ring.hpp"
#include "io/connector.hpp"
#include "io/keeper.hpp"
#include "io/stream.hpp"
#include "io/url.hpp"
#include <string>
#include <tortoise/core/engine.hpp>
#include <vector>

namespace tortoise::io {

/// The store of a persistent engine, and the name under which its session is loaded.
struct Keeping {
    StoreAdaptor* store = nullptr;
    std::string session = {};
};

/// Feeds the engine what arrives, writes what it has to say in as few writes as possible, opens and closes as it
/// wishes, keeps its one timer. Of the loop's thread only.
class Driver final : Stream::Events {
public:
    class Listener {
    public:
        /// Now is the time for the will and the credentials of the next CONNECT. open() or give_up() follows, at once
        /// or when they are there, unless this attempt comes to its end before.
        virtual void before_open(std::size_t endpoint) = 0;
        virtual void handle(core::Event&) = 0;
        /// The output was held up, and is no more.
        virtual void unblocked() = 0;
        /// Everything that could be done is done, for now.
        virtual void drained() = 0;
        /// The store has kept more, or failed.
        virtual void kept() = 0;

    protected:
        ~Listener() = default;
    };

    Driver(Loop&, Resolver&, core::Engine, std::vector<Url> endpoints, Means, Listener&, Keeping = {});
    ~Driver();

    /// drain() has to follow what is done to it, unless the listener does it while it is called.
    core::Engine& engine() noexcept { return engine_; }
    void drain();
    /// The engine's time, which must not run backwards: read from the clock, or as it was read last. To look at the
    /// clock for each of many messages that came together would be a fifth of what they cost.
    core::Time tick() noexcept { return now_ = Loop::now(); }
    core::Time now() const noexcept { return now_; }
    /// Writes packets as they are, from where they are. False: the engine wants them one by one. drain() has to follow.
    bool pass(core::Time now, const core::PublishRun&);
    /// Goes on with an attempt that before_open() was told of, or fails it. drain() has to follow, unless it is called
    /// there.
    void open();
    void give_up(Error);
    /// The peer does not read as fast as it is written to.
    bool blocked() const noexcept { return blocked_; }
    /// Null without a store.
    const Keeper* keeper() const noexcept { return keeper_.get(); }
    /// Drops the connection without another octet: what would be written depends on what could not be kept.
    void abandon(const Error& why);
    /// Where it connects to, or did last.
    const Url& endpoint() const noexcept { return detour_ ? *detour_ : endpoints_[endpoint_]; }
    /// The next attempt goes there, whatever the engine wishes for; for good: in place of the endpoint of the last one.
    void redirect(Url, bool for_good);
    /// Octets so far.
    std::uint64_t sent() const noexcept { return sent_; }
    std::uint64_t received() const noexcept { return received_; }
    std::uint64_t tls_resumptions() const noexcept { return connector_.resumptions(); }

private:
    void opened() override {}
    void not_opened(Error) override {}
    void readable() override;
    void writable() override;

    void keep_changes();
    bool quiet() const noexcept;
    bool handle_events();
    void take_output();
    Octets writable_output() const noexcept;
    std::size_t write_some(Octets);
    bool write_output();
    bool follow_wish();
    void begin_open(std::size_t endpoint);
    void connected(std::shared_ptr<Stream>, Error);
    void begin_close();
    void end_close();
    void lost(Error);
    bool greeted_well(Octets);
    bool read_once(Transfer&);
    void await_input();
    void drop_stream() noexcept;

    Loop& loop_;
    core::Engine engine_;
    std::vector<Url> endpoints_;
    std::size_t endpoint_ = 0;
    std::unique_ptr<Url> detour_; // of the last attempt, if it was none of endpoints_
    struct Redirect {
        Url to;
        bool for_good;
    };
    std::unique_ptr<Redirect> redirect_; // of the next attempt
    Listener& listener_;
    Connector connector_;
    Timer timer_;
    std::unique_ptr<Timer> flush_limit_; // armed at least once
    std::shared_ptr<Stream> stream_;
    std::vector<core::Event> events_;
    std::unique_ptr<Keeper> keeper_; // null without a store
    std::string output_;
    std::size_t written_ = 0;             // of output_
    std::unique_ptr<Error> write_failed_; // and is to be told
    struct Barrier {
        std::uint64_t write; // has to be kept
        std::size_t from;    // before this of output_ is written
    };
    core::Ring<Barrier> barriers_;
    core::Time now_ = {}, busy_at_ = {}; // busy: much came or went
    std::uint64_t sent_ = 0, received_ = 0;
    bool opening_ = false, closing_ = false, draining_ = false;
    bool blocked_ = false, was_blocked_ = false, reading_ = false, greeted_ = false;
};

} // namespace tortoise::io
