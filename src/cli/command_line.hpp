#pragma once
// The command line, made ready for the option parser.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

/// The words in the order in which CLI::App::parse(vector) takes them, which is from the last to the first. The words
/// of each -D (a packet, a property, one value or two) have become one, because how many they are depends on what they
/// say.
std::vector<std::string> prepare(const CLI::App& sub, std::vector<std::string> words);

} // namespace cli
