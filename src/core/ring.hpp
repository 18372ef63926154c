#pragma once
/// A queue that costs nothing while it is empty, and whose memory goes when much of it is not needed any more.

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

namespace tortoise::core {

/// As std::deque, as far as it goes, but for references: a push may move the elements. T is moved without throwing.
template <class T> class Ring {
public:
    Ring() noexcept = default;
    Ring(Ring&& other) noexcept { swap(other); }
    Ring& operator=(Ring&& other) noexcept {
        Ring taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~Ring() { clear(); }

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) noexcept { return *at(i); }
    const T& operator[](std::size_t i) const noexcept { return *at(i); }
    T& front() noexcept { return *at(0); }
    const T& front() const noexcept { return *at(0); }
    T& back() noexcept { return *at(size_ - 1); }
    const T& back() const noexcept { return *at(size_ - 1); }

    void push_back(T value) {
        grow();
        std::construct_at(at(size_), std::move(value));
        ++size_;
    }
    void push_front(T value) {
        grow();
        first_ = (first_ - 1) & (capacity_ - 1);
        std::construct_at(at(0), std::move(value));
        ++size_;
    }
    void pop_front() noexcept {
        std::destroy_at(at(0));
        first_ = (first_ + 1) & (capacity_ - 1);
        if (--size_ == 0) shrink();
    }
    void clear() noexcept {
        while (size_ > 0) {
            std::destroy_at(at(size_ - 1));
            --size_;
        }
        give_back();
    }
    void swap(Ring& other) noexcept {
        std::swap(octets_, other.octets_);
        std::swap(capacity_, other.capacity_);
        std::swap(first_, other.first_);
        std::swap(size_, other.size_);
    }

    template <class R, class V> class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = V*;
        using reference = V&;

        Iterator(R* ring, std::size_t i) noexcept : ring_(ring), i_(i) {}
        V& operator*() const noexcept { return (*ring_)[i_]; }
        V* operator->() const noexcept { return &(*ring_)[i_]; }
        Iterator& operator++() noexcept {
            ++i_;
            return *this;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        R* ring_;
        std::size_t i_;
    };
    auto begin() noexcept { return Iterator<Ring, T>(this, 0); }
    auto end() noexcept { return Iterator<Ring, T>(this, size_); }
    auto begin() const noexcept { return Iterator<const Ring, const T>(this, 0); }
    auto end() const noexcept { return Iterator<const Ring, const T>(this, size_); }

private:
    static constexpr std::size_t least = 4;
    static constexpr std::size_t kept = 16 * 1024; // octets, when it is empty

    T* at(std::size_t i) const noexcept { return octets_ + ((first_ + i) & (capacity_ - 1)); }
    void grow() {
        if (size_ < capacity_) return;
        Ring larger;
        larger.capacity_ = capacity_ == 0 ? least : 2 * capacity_;
        larger.octets_ = std::allocator<T>().allocate(larger.capacity_);
        for (; larger.size_ < size_; ++larger.size_)
            std::construct_at(larger.octets_ + larger.size_, std::move((*this)[larger.size_]));
        swap(larger);
    }
    void shrink() noexcept {
        if (capacity_ * sizeof(T) > kept) give_back();
    }
    void give_back() noexcept {
        if (octets_) std::allocator<T>().deallocate(octets_, capacity_);
        octets_ = nullptr;
        capacity_ = first_ = 0;
    }

    T* octets_ = nullptr;
    std::size_t capacity_ = 0, first_ = 0, size_ = 0; // capacity_: a power of two, or 0
};

} // namespace tortoise::core
