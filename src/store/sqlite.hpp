#pragma once
/// Keeps sessions in a SQLite file. Changes of all sessions are collected; a thread of the store's own writes them in
/// rounds, one transaction and one sync for each.

#include "store/open.hpp"
#include <tortoise/store_adaptor.hpp>

namespace tortoise::store {

/// Starts the thread. Deleting the adaptor writes what is left and closes the file, then and there; on that thread
/// itself (in an OnKept), as soon as the thread comes to it.
StoreAdaptor* new_sqlite(StoreFile, const StoreOptions&);

} // namespace tortoise::store
