#pragma once
/// Callables without the weight of <functional>: one that is moved, and one whose copies are the same.

#include <atomic>
#include <cstddef>
#include <new>
#include <tortoise/detail/ref.hpp>
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
        requires(!std::is_same_v<std::decay_t<F>, Fn> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    Fn(F&& f) {
        using Callable = std::decay_t<F>;  // of a function: the pointer to it
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

template <class Signature> class SharedFn;

/// Holds any callable that can be moved; copies share it. It locks nothing: whoever calls it from several threads at a time
/// looks after that. Calling an empty one is undefined; test it first.
template <class R, class... Args> class SharedFn<R(Args...)> {
public:
    SharedFn() noexcept = default;
    SharedFn(std::nullptr_t) noexcept {}

    template <class F>
        requires(!std::is_same_v<std::decay_t<F>, SharedFn> && std::is_constructible_v<Fn<R(Args...)>, F>)
    SharedFn(F&& f) : SharedFn(Made(), Fn<R(Args...)>(std::forward<F>(f))) {}

    explicit operator bool() const noexcept { return static_cast<bool>(shared_); }
    R operator()(Args... args) const { return shared_->call(std::forward<Args>(args)...); }

private:
    struct Shared {
        explicit Shared(Fn<R(Args...)> f) : call(std::move(f)) {}
        void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
        void release() noexcept {
            if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
        }
        Fn<R(Args...)> call;
        std::atomic<int> references{1};
    };
    struct Made {};
    SharedFn(Made, Fn<R(Args...)> f) {
        if (f) shared_ = detail::Ref<Shared>::adopt(new Shared(std::move(f)));
    }
    detail::Ref<Shared> shared_;
};

} // namespace tortoise
