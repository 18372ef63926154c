#pragma once
/// A Loop made of Asio. For the .cpp files of this layer that talk to sockets; nothing else includes it.

#include "io/loop.hpp"
#include <array>
#include <boost/asio/any_io_executor.hpp>

namespace tortoise::io {

class AsioLoop : public Loop {
public:
    static AsioLoop& of(Loop& loop) noexcept { return static_cast<AsioLoop&>(loop); }

    std::span<char> read_buffer() noexcept final { return buffer_; }
    /// What sockets and timers of this loop are made with.
    virtual boost::asio::any_io_executor executor() noexcept = 0;

private:
    std::array<char, 128 * 1024> buffer_;
};

} // namespace tortoise::io
