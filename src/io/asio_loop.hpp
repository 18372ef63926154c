#pragma once
/// A Loop made of Asio. For the .cpp files of this layer that talk to sockets; nothing else includes it.

#include "io/loop.hpp"
#include <array>
#include <boost/asio/io_context.hpp>

namespace tortoise::io {

class AsioLoop final : public Loop {
public:
    static AsioLoop& of(Loop& loop) noexcept { return static_cast<AsioLoop&>(loop); }

    void post(Fn<void()> task) override;
    std::span<char> read_buffer() noexcept override { return buffer_; }
    bool on_this_thread() const noexcept override;
    boost::asio::io_context& context() noexcept { return context_; }

    void run();
    void stop() { context_.stop(); }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    std::array<char, 128 * 1024> buffer_;
};

} // namespace tortoise::io
