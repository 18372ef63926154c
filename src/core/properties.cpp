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

void append(std::string& to, const Property& property) {
    const auto type = core::property_spec(static_cast<std::uint32_t>(property.id))->type;
    Counter counter;
    put(counter, type, property);
    const auto at = to.size();
    to.resize(at + counter.size());
    Writer writer(to.data() + at);
    put(writer, type, property);
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

std::optional<std::uint32_t> PropertiesView::get(PropertyKey<std::uint32_t> key) const noexcept {
    for (const auto& property : *this)
        if (property.id == key.id) return property.number;
    return std::nullopt;
}

std::optional<Octets> PropertiesView::get(PropertyKey<Octets> key) const noexcept {
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
    const std::string kept(value); // it may point into this list
    remove(key.id);
    append(encoded_, {.id = key.id, .value = kept});
    return *this;
}

Properties& Properties::add(PropertyKey<std::uint32_t> key, std::uint32_t number) {
    append(encoded_, {.id = key.id, .number = number});
    return *this;
}

Properties& Properties::add_user(std::string_view name, std::string_view value) {
    append(encoded_, {.id = PropertyId::user_property, .value = value, .name = name});
    return *this;
}

Properties& Properties::remove(PropertyId id) {
    while (cut(encoded_, id) != std::string::npos) {
    }
    return *this;
}

} // namespace tortoise
