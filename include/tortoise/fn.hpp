#pragma once
/// A move-only callable: std::move_only_function for C++20, without the weight of <functional>.

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace tortoise {

template <class Signature> class Fn;

/// Holds any callable that can be moved, copies of which need not exist. Small ones live inside; others on the heap.
/// Calling an empty one is undefined; test it first.
template <class R, class... Args> class Fn<R(Args...)> {
public:
    Fn() noexcept = default;
    Fn(std::nullptr_t) noexcept {}

    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Fn> && std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
    Fn(F&& f) {
        using Callable = std::remove_cvref_t<F>;
        if constexpr (fits<Callable>) {
            ::new (static_cast<void*>(store_)) Callable(std::forward<F>(f));
            ops_ = &inline_ops<Callable>;
        } else {
            ::new (static_cast<void*>(store_)) Callable*(new Callable(std::forward<F>(f)));
            ops_ = &heap_ops<Callable>;
        }
    }

    Fn(Fn&& other) noexcept : ops_(other.ops_) {
        if (ops_) ops_->move(other.store_, store_);
        other.ops_ = nullptr;
    }
    Fn& operator=(Fn&& other) noexcept {
        if (this != &other) {
            reset();
            ops_ = other.ops_;
            if (ops_) ops_->move(other.store_, store_);
            other.ops_ = nullptr;
        }
        return *this;
    }
    Fn(const Fn&) = delete;
    Fn& operator=(const Fn&) = delete;
    ~Fn() { reset(); }

    explicit operator bool() const noexcept { return ops_ != nullptr; }
    R operator()(Args... args) { return ops_->call(store_, std::forward<Args>(args)...); }

private:
    struct Ops {
        R (*call)(void*, Args&&...);
        void (*move)(void* from, void* to) noexcept;  // leaves nothing behind
        void (*destroy)(void*) noexcept;
    };
    static constexpr std::size_t room = 4 * sizeof(void*);

    template <class C>
    static constexpr bool fits = sizeof(C) <= room && alignof(C) <= alignof(std::max_align_t) &&
                                 std::is_nothrow_move_constructible_v<C>;

    template <class C> static R invoke(C& callable, Args&&... args) {
        if constexpr (std::is_void_v<R>) static_cast<void>(callable(std::forward<Args>(args)...));
        else return callable(std::forward<Args>(args)...);
    }

    template <class C>
    static constexpr Ops inline_ops = {
        [](void* at, Args&&... args) -> R { return invoke(*static_cast<C*>(at), std::forward<Args>(args)...); },
        [](void* from, void* to) noexcept {
            ::new (to) C(std::move(*static_cast<C*>(from)));
            static_cast<C*>(from)->~C();
        },
        [](void* at) noexcept { static_cast<C*>(at)->~C(); },
    };
    template <class C>
    static constexpr Ops heap_ops = {
        [](void* at, Args&&... args) -> R { return invoke(**static_cast<C**>(at), std::forward<Args>(args)...); },
        [](void* from, void* to) noexcept { ::new (to) C*(*static_cast<C**>(from)); },
        [](void* at) noexcept { delete *static_cast<C**>(at); },
    };

    void reset() noexcept {
        if (ops_) ops_->destroy(store_);
        ops_ = nullptr;
    }

    const Ops* ops_ = nullptr;
    alignas(std::max_align_t) unsigned char store_[room];
};

} // namespace tortoise
