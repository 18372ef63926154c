// Uses the codec alone: the core links nothing.
#include <string>
#include <tortoise/core/codec.hpp>

int main() {
    std::string octets;
    const tortoise::core::Publish publish{.topic = "hello", .payload = "world"};
    if (!tortoise::core::encode(tortoise::Version::v3_1_1, publish, octets)) return 1;
    return tortoise::core::decode(tortoise::Version::v3_1_1, octets) ? 0 : 1;
}
