#pragma once
/// A counting pointer to an object that counts its own owners (`retain()`, `release()`); keeps <memory> out of the headers.

#include <utility>

namespace tortoise::detail {

template <class T> class Ref {
public:
    Ref() noexcept = default;
    /// Takes over one count that the caller holds, e.g. that of a new object.
    static Ref adopt(T* object) noexcept {
        Ref r;
        r.object_ = object;
        return r;
    }
    static Ref share(T* object) noexcept {
        if (object) object->retain();
        return adopt(object);
    }
    Ref(const Ref& other) noexcept : object_(other.object_) {
        if (object_) object_->retain();
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_) object_->release();
    }

    T* get() const noexcept { return object_; }
    T* operator->() const noexcept { return object_; }
    T& operator*() const noexcept { return *object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    /// Gives the count back to the caller.
    T* detach() noexcept { return std::exchange(object_, nullptr); }

private:
    T* object_ = nullptr;
};

} // namespace tortoise::detail
