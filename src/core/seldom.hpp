#pragma once
/// What few connections have: the others pay a pointer for it.

#include <memory>
#include <optional>
#include <utility>

namespace tortoise::core {

/// An optional whose value is elsewhere. Moves leave nothing behind.
template <class T> class Seldom {
public:
    Seldom() = default;
    Seldom(T value) : at_(std::make_unique<T>(std::move(value))) {}
    Seldom(std::optional<T> value) {
        if (value) at_ = std::make_unique<T>(*std::move(value));
    }

    explicit operator bool() const noexcept { return at_ != nullptr; }
    T& operator*() noexcept { return *at_; }
    const T& operator*() const noexcept { return *at_; }
    T* operator->() noexcept { return at_.get(); }
    const T* operator->() const noexcept { return at_.get(); }
    /// Made if it is missing.
    T& get() {
        if (!at_) at_ = std::make_unique<T>();
        return *at_;
    }
    void reset() noexcept { at_.reset(); }
    std::optional<T> take() {
        const auto from = std::move(at_);
        return from ? std::optional<T>(std::move(*from)) : std::nullopt;
    }

private:
    std::unique_ptr<T> at_;
};

} // namespace tortoise::core
