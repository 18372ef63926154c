#include "core/codec/rule.hpp"

namespace tortoise::core {

Error broken(Version version, Rule rule, Reason reason, std::string_view subject, std::string_view text) {
    std::string whole;
    if (const auto number = rule.number(version); !number.empty()) whole.append("[").append(number).append("] ");
    return make_error(reason, whole.append(subject).append(" ").append(text));
}

} // namespace tortoise::core
