#pragma once
/// A Loop on an io_context of somebody else's, who runs it.

#include "io/asio_loop.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <mutex>

namespace tortoise::io {

/// However many threads run the io_context, what belongs to this loop runs on one at a time.
class GuestLoop final : public AsioLoop {
public:
    explicit GuestLoop(boost::asio::io_context&);
    ~GuestLoop() override;
    GuestLoop(const GuestLoop&) = delete;
    GuestLoop& operator=(const GuestLoop&) = delete;

    void post(Fn<void()> task) override;
    bool on_this_thread() const noexcept override;
    boost::asio::any_io_executor executor() noexcept override { return *strand_; }
    void hold() override;
    void let_go() override;
    /// Nobody needs it any more, and the io_context may go. What is posted from now on is dropped.
    void close() override;

    /// Does the calling thread run the io_context of any of these?
    static bool on_any_thread() noexcept;

private:
    using Context = boost::asio::io_context;
    bool runs_here() const noexcept { return context_executor_.running_in_this_thread(); }

    const Context::executor_type context_executor_;
    std::optional<boost::asio::strand<Context::executor_type>> strand_; // until it is closed
    std::mutex mutex_;
    unsigned holders_ = 0; // guarded by mutex_, as what follows
    std::optional<boost::asio::executor_work_guard<Context::executor_type>> work_;
};

} // namespace tortoise::io
