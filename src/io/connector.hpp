#pragma once
/// From a URL to an open stream: looks the host up, tries its addresses, secures what it gets; or has a user's
/// transport do the first part.

#include "io/resolver.hpp"
#include "io/stream.hpp"
#include "io/tls.hpp"
#include "io/url.hpp"
#include <memory>
#include <tortoise/transport.hpp>

namespace tortoise::io {

/// What connecting takes besides a URL.
struct Means {
    std::shared_ptr<TlsContext> tls = {}; ///< not null if a URL is secure
    TransportFactory transport = {};
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
    struct Attempt;
    struct Race;
    template <class Begin> void begin(Begin);
    void resolved(Result<Addresses>);
    void try_next();
    void opened(Attempt&);
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
