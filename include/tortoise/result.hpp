#pragma once
/// A value or an Error: the shape of C++23's std::expected, with one ABI in every language mode.

#include <new>
#include <optional>
#include <tortoise/error.hpp>
#include <type_traits>
#include <utility>

namespace tortoise {

/// Where there is nothing to say but "it worked".
struct Done {
    friend bool operator==(Done, Done) = default;
};

/// Holds one of the two; it costs no more than the one it holds.
template <class T> class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : value_(std::move(value)), has_value_(true) {}
    Result(Error error) : error_(std::move(error)), has_value_(false) {}
    Result(Errc code) : Result(make_error(code)) {}
    Result(Reason code) : Result(make_error(code)) {}

    Result(const Result& other) requires std::is_copy_constructible_v<T> : has_value_(other.has_value_) {
        if (has_value_)
            ::new (static_cast<void*>(&value_)) T(other.value_);
        else
            ::new (static_cast<void*>(&error_)) Error(other.error_);
    }
    Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) { take(std::move(other)); }
    Result& operator=(Result other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        destroy();
        take(std::move(other));
        return *this;
    }
    ~Result() { destroy(); }

    explicit operator bool() const noexcept { return has_value_; }
    bool has_value() const noexcept { return has_value_; }

    /// Precondition of these: it holds a value.
    const T& operator*() const& noexcept { return value_; }
    T& operator*() & noexcept { return value_; }
    T&& operator*() && noexcept { return std::move(value_); }
    const T* operator->() const noexcept { return &value_; }
    T* operator->() noexcept { return &value_; }

    /// Empty (no code, no text) when it holds a value.
    const Error& error() const& noexcept { return has_value_ ? detail::no_error() : error_; }
    Error error() && noexcept { return has_value_ ? Error() : std::move(error_); }

    /// The value; throws std::system_error, with the error's code and text, if there is none.
    const T& value() const& {
        if (!has_value_) detail::throw_error(error_);
        return value_;
    }
    T value() && {
        if (!has_value_) detail::throw_error(error_);
        return std::move(value_);
    }
    T value_or(T other) const& { return has_value_ ? value_ : std::move(other); }
    T value_or(T other) && { return has_value_ ? std::move(value_) : std::move(other); }

private:
    void take(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        has_value_ = other.has_value_;
        if (has_value_)
            ::new (static_cast<void*>(&value_)) T(std::move(other.value_));
        else
            ::new (static_cast<void*>(&error_)) Error(std::move(other.error_));
    }
    void destroy() noexcept {
        if (has_value_)
            value_.~T();
        else
            error_.~Error();
    }

    union {
        T value_;
        Error error_;
    };
    bool has_value_;
};

} // namespace tortoise
