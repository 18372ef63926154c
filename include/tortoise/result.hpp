#pragma once
/// A value or an Error: the shape of C++23's std::expected, with one ABI in every language mode.

#include <optional>
#include <tortoise/error.hpp>
#include <utility>

namespace tortoise {

/// Where there is nothing to say but "it worked".
struct Done {
    friend bool operator==(Done, Done) = default;
};

template <class T> class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(std::move(error)) {}
    Result(Errc code) : error_(make_error(code)) {}
    Result(Reason code) : error_(make_error(code)) {}

    explicit operator bool() const noexcept { return value_.has_value(); }
    bool has_value() const noexcept { return value_.has_value(); }

    /// Precondition of these: it holds a value.
    const T& operator*() const& noexcept { return *value_; }
    T& operator*() & noexcept { return *value_; }
    T&& operator*() && noexcept { return std::move(*value_); }
    const T* operator->() const noexcept { return &*value_; }
    T* operator->() noexcept { return &*value_; }

    /// Empty (no code, no text) when it holds a value.
    const Error& error() const& noexcept { return error_; }
    Error&& error() && noexcept { return std::move(error_); }

    /// The value; throws std::system_error, with the error's code and text, if there is none.
    const T& value() const& {
        if (!value_) detail::throw_error(error_);
        return *value_;
    }
    T value() && {
        if (!value_) detail::throw_error(error_);
        return std::move(*value_);
    }
    T value_or(T other) const& { return value_ ? *value_ : std::move(other); }
    T value_or(T other) && { return value_ ? std::move(*value_) : std::move(other); }

private:
    std::optional<T> value_;
    Error error_;
};

} // namespace tortoise
