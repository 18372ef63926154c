#include <tortoise/properties.hpp>

#include "core/codec/property.hpp"
#include "core/codec/scalar.hpp"

namespace tortoise {
namespace {

using core::Counter;
using core::WireType;
using core::Writer;

template <class Sink> void put(Sink& sink, WireType type, const Property& p) {
    sink.varint(static_cast<std::size_t>(p.id));
    switch (type) {
    case WireType::byte: sink.u8(p.number); break;
    case WireType::two_bytes: sink.u16(p.number); break;
    case WireType::four_bytes: sink.u32(p.number); break;
    case WireType::varint: sink.varint(p.number); break;
    case WireType::pair: sink.string(p.name); [[fallthrough]];
    case WireType::string:
    case WireType::binary: sink.string(p.value); break;
    }
}

/// Identifier 0, which does not exist: reading ends there, and every packet with it is refused.
constexpr char poison = 0;

/// Has the property the type it is said to have, and a value which that type can carry?
bool fits(const core::PropertySpec* spec, const Property& p, bool is_number) noexcept {
    constexpr std::size_t longest = 65'535;
    if (!spec || is_number != (core::largest_number(spec->type) > 0)) return false;
    return is_number ? p.number <= core::largest_number(spec->type)
                     : p.name.size() <= longest && p.value.size() <= longest;
}

void append(std::string& to, const Property& property, bool is_number) {
    const auto* spec = core::property_spec(static_cast<std::uint32_t>(property.id));
    if (!fits(spec, property, is_number)) {
        to.push_back(poison);
        return;
    }
    Counter counter;
    put(counter, spec->type, property);
    std::string octets(counter.size(), '\0'); // apart from the list, which the value may point into
    Writer writer(octets.data());
    put(writer, spec->type, property);
    to.append(octets);
}

/// The octets of the first property of that identifier, cut out of a list; where it stood, or the end.
std::size_t cut(std::string& list, PropertyId id) {
    std::size_t at = 0;
    while (at < list.size()) {
        const auto read = core::read_property(Octets(list).substr(at));
        if (read.outcome != core::PropertyRead::ok) break;
        if (read.property.id == id) {
            list.erase(at, read.size);
            return at;
        }
        at += read.size;
    }
    return std::string::npos;
}

} // namespace

std::string_view to_string(PropertyId id) noexcept {
    const auto* spec = core::property_spec(static_cast<std::uint32_t>(id));
    return spec ? spec->name : "unknown property";
}

void PropertiesView::iterator::read() noexcept {
    const auto read = core::read_property(rest_);
    if (read.outcome != core::PropertyRead::ok) rest_ = {};
    size_ = rest_.empty() ? 0 : read.size;
    property_ = rest_.empty() ? Property{} : read.property;
}

std::optional<std::uint32_t> PropertiesView::find(PropertyKey<std::uint32_t> key) const noexcept {
    for (const auto& property : *this)
        if (property.id == key.id) return property.number;
    return std::nullopt;
}

std::optional<Octets> PropertiesView::find(PropertyKey<Octets> key) const noexcept {
    for (const auto& property : *this)
        if (property.id == key.id) return property.value;
    return std::nullopt;
}

std::optional<std::string_view> PropertiesView::user(std::string_view name) const noexcept {
    for (const auto& property : *this)
        if (property.id == PropertyId::user_property && property.name == name) return property.value;
    return std::nullopt;
}

Properties& Properties::set(PropertyKey<std::uint32_t> key, std::uint32_t number) {
    remove(key.id);
    return add(key, number);
}

Properties& Properties::set(PropertyKey<Octets> key, Octets value) {
    std::string one;
    append(one, {.id = key.id, .value = value}, false);
    remove(key.id);
    encoded_.append(one);
    return *this;
}

Properties& Properties::add(PropertyKey<std::uint32_t> key, std::uint32_t number) {
    append(encoded_, {.id = key.id, .number = number}, true);
    return *this;
}

Properties& Properties::add_user(std::string_view name, std::string_view value) {
    append(encoded_, {.id = PropertyId::user_property, .value = value, .name = name}, false);
    return *this;
}

Properties& Properties::remove(PropertyId id) {
    while (cut(encoded_, id) != std::string::npos) {
    }
    return *this;
}

} // namespace tortoise
