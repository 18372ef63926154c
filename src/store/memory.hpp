#pragma once
/// Keeps sessions as long as the process lives.

#include <tortoise/store_adaptor.hpp>

namespace tortoise::store {

StoreAdaptor* new_memory();

} // namespace tortoise::store
