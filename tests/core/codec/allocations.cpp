#include "core/codec/allocations.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace tortoise::core {
namespace {

thread_local Allocations counted;

void* take(std::size_t size) {
    void* at = std::malloc(size > 0 ? size : 1);
    if (!at) throw std::bad_alloc();
    ++counted.count;
    counted.octets += size;
    counted.live += static_cast<std::ptrdiff_t>(malloc_usable_size(at));
    return at;
}

void give_back(void* at) noexcept {
    if (at) counted.live -= static_cast<std::ptrdiff_t>(malloc_usable_size(at));
    std::free(at);
}

} // namespace

Allocations allocations() noexcept { return counted; }

} // namespace tortoise::core

void* operator new(std::size_t size) { return tortoise::core::take(size); }
void* operator new[](std::size_t size) { return tortoise::core::take(size); }
void operator delete(void* at) noexcept { tortoise::core::give_back(at); }
void operator delete[](void* at) noexcept { tortoise::core::give_back(at); }
void operator delete(void* at, std::size_t) noexcept { tortoise::core::give_back(at); }
void operator delete[](void* at, std::size_t) noexcept { tortoise::core::give_back(at); }
