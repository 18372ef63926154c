#include "broker/covers.hpp"

#include <tortoise/topic.hpp>

namespace tortoise::broker {

bool covers(std::string_view wide, std::string_view filter) noexcept {
    const Levels wide_levels(wide);
    const Levels levels(filter);
    auto level = levels.begin();
    for (const auto wanted : wide_levels) {
        if (wanted == "#") return true;
        if (level == levels.end() || *level == "#") return false;
        if (wanted != "+" && wanted != *level) return false;
        ++level;
    }
    return level == levels.end();
}

} // namespace tortoise::broker
