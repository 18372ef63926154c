#pragma once
/// SQLite's write-ahead log, as far as one has to look into it to tell damage from the end of a program.

#include <string>

namespace tortoise::store {

/// SQLite reads the log up to the first frame that is not right, and takes that for the place where a program ended.
/// Says whether more must have been there: a later commit with something behind it proves that all before it had been
/// synced. What a power failure leaves behind is whole in this sense; damage to the last commit cannot be told from
/// one.
bool journal_is_whole(const std::string& path);

/// Is there one, and anything in it?
bool journal_has_content(const std::string& path);

} // namespace tortoise::store
