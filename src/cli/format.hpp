#pragma once
// sub -F: the output format of mosquitto_sub.

#include <ctime>
#include <string>
#include <string_view>
#include <tortoise/message.hpp>
#include <tortoise/result.hpp>
#include <vector>

namespace cli {

/// A message and when it arrived.
struct Arrival {
    const tortoise::MessageView& message;
    std::timespec at;
};

/// A format, taken apart once and printed often.
class Format {
public:
    static tortoise::Result<Format> parse(std::string_view);

    /// Appends the message. False if %J met a payload that is not JSON; then nothing stands in its place.
    bool print(const Arrival&, bool pretty, std::string& out) const;

private:
    struct Piece {
        enum class Kind { literal, field, time } kind = Kind::literal;
        std::string text = {}; // of a literal
        char code = 0;         // behind % or @
        bool left = false, zero = false;
        std::size_t width = 0;
        std::size_t precision = std::string::npos;
    };
    static tortoise::Result<Piece> parse_field(std::string_view& rest);
    static tortoise::Result<char> parse_escape(std::string_view& rest);
    void add_literal(char);
    static bool print_field(const Piece&, const Arrival&, bool pretty, std::string& out);

    std::vector<Piece> pieces_;
};

} // namespace cli
