#pragma once
/// From a URL to an open stream: looks the host up, tries its addresses.

#include "io/resolver.hpp"
#include "io/stream.hpp"
#include "io/url.hpp"
#include <list>

namespace tortoise::io {

/// The addresses of both families are raced: the next one starts when the one before failed, or has not answered for
/// 250 ms (RFC 8305). Of the loop's thread only.
class Connector {
public:
    /// A stream, or why there is none.
    using Answer = Fn<void(std::shared_ptr<Stream>, Error)>;

    Connector(Loop&, Resolver&);
    ~Connector();
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    /// One at a time. The answer comes once, never before this returns, and not after cancel().
    void start(const Url&, Answer);
    void cancel() noexcept;

private:
    struct Attempt;
    void resolved(Result<Addresses>);
    void try_next();
    void failed(Attempt&, Error);
    void finish(std::shared_ptr<Stream>, Error);

    Loop& loop_;
    Resolver& resolver_;
    Resolver::Question question_;
    Timer stagger_;
    Addresses addresses_; // to be tried, the next one first
    std::size_t next_ = 0;
    std::list<Attempt> attempts_; // under way
    Error error_;                 // of those that failed
    Answer answer_;
};

/// The order to try them in: families alternate, beginning with the first one's.
Addresses interleaved(const Addresses&);

} // namespace tortoise::io
