#pragma once
/// Opens a store's file: recognised, locked, checked, of this version, and shown to be writable. Or says why not.

#include "store/database.hpp"
#include "store/high_water.hpp"
#include "store/record_table.hpp"
#include "store/rounds.hpp"
#include "store/schema.hpp"

namespace tortoise::store {

struct StoreFile {
    HighWater high_water; // goes last: it looks at what the database leaves behind
    Database database;
    RecordTable records;
    Rounds rounds;
};

/// As Store::Store says it. `steps`: those of this version, or what a test makes of them.
Result<StoreFile> open_file(const std::string& path, const char* vfs = nullptr, Steps steps = schema_steps());

} // namespace tortoise::store
