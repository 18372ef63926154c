#pragma once
/// A SUBSCRIBE or UNSUBSCRIBE on its way: whom to answer. The engine names it by its address.

#include <tortoise/core/engine.hpp>
#include <tortoise/pending.hpp>
#include <vector>

namespace tortoise {

template <class T> class Request {
public:
    explicit Request(std::size_t count) noexcept : count_(count) {}
    virtual ~Request() = default;
    virtual void answer(std::vector<Result<T>>) = 0;
    void fail(const Error& why) { answer(std::vector<Result<T>>(count_, Result<T>(why))); }

    core::Token token() noexcept { return reinterpret_cast<core::Token>(this); }
    static Request* of(core::Token token) noexcept { return reinterpret_cast<Request*>(token); }

private:
    const std::size_t count_;
};

template <class T> class SingleRequest final : public Request<T> {
public:
    explicit SingleRequest(detail::Ref<detail::PendingResult<T>> to) : Request<T>(1), to_(std::move(to)) {}
    void answer(std::vector<Result<T>> results) override { to_->answer(std::move(results.front())); }

private:
    detail::Ref<detail::PendingResult<T>> to_;
};

template <class T> class ListRequest final : public Request<T> {
public:
    using List = std::vector<Result<T>>;
    ListRequest(std::size_t count, detail::Ref<detail::PendingResult<List>> to)
        : Request<T>(count), to_(std::move(to)) {}
    void answer(List results) override { to_->answer(std::move(results)); }

private:
    detail::Ref<detail::PendingResult<List>> to_;
};

} // namespace tortoise
