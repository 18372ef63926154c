#pragma once
/// From a URL to an open stream: looks the host up, tries its addresses; or has a user's transport do that. Then it
/// asks a proxy, secures what it gets, turns it into WebSocket.

#include "io/resolver.hpp"
#include "io/stream.hpp"
#include "io/tls.hpp"
#include "io/url.hpp"
#include <memory>
#include <optional>
#include <tortoise/transport.hpp>
#include <tortoise/websocket.hpp>
#include <vector>

namespace tortoise::io {

/// What few connections ask for on their way.
struct Detours {
    std::optional<Url> proxy = {};        ///< to servers that have a host
    std::vector<HttpHeader> headers = {}; ///< of WebSocket
};

/// What connecting takes besides a URL.
struct Means {
    std::shared_ptr<TlsContext> tls = {}; ///< not null if a URL is secure
    TransportFactory transport = {};
    std::unique_ptr<const Detours> detours = {}; ///< null: none
};

/// The addresses of both families are raced: the next one starts when the one before failed, or has not answered for
/// 250 ms (RFC 8305). Of the loop's thread only.
class Connector {
public:
    /// A stream, or why there is none.
    using Answer = Fn<void(std::shared_ptr<Stream>, Error)>;

    Connector(Loop&, Resolver&, Means = {});
    ~Connector();
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    /// One at a time. The answer comes once, never before this returns, and not after cancel().
    void start(const Url&, Answer);
    void cancel() noexcept;
    /// TLS sessions that were resumed.
    std::uint64_t resumptions() const noexcept { return means_.tls ? means_.tls->resumptions() : 0; }

private:
    enum class Stage : std::uint8_t { connecting, proxy, tls, websocket };
    struct Attempt;
    struct Race;
    const Url* proxy() const noexcept;
    template <class Begin> void begin(Stage, Begin);
    void resolved(Result<Addresses>);
    void try_next();
    void opened(Attempt&);
    void go_on(Stage, std::shared_ptr<Stream>);
    void failed(Attempt&, Error);
    void finish(std::shared_ptr<Stream>, Error);

    Loop& loop_;
    Resolver& resolver_;
    const Means means_;
    std::unique_ptr<Race> race_; // null: no answer is due
};

/// The order to try them in: families alternate, beginning with the first one's.
Addresses interleaved(const Addresses&);

} // namespace tortoise::io
