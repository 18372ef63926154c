#pragma once
/// The properties of an MQTT 5 packet [MQTT-2.2.2], kept as they stand on the wire: one string, no tree of nodes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/types.hpp>
#include <utility>

namespace tortoise {

enum class PropertyId : std::uint8_t {
    payload_format_indicator = 0x01,
    message_expiry_interval = 0x02,
    content_type = 0x03,
    response_topic = 0x08,
    correlation_data = 0x09,
    subscription_identifier = 0x0B,
    session_expiry_interval = 0x11,
    assigned_client_identifier = 0x12,
    server_keep_alive = 0x13,
    authentication_method = 0x15,
    authentication_data = 0x16,
    request_problem_information = 0x17,
    will_delay_interval = 0x18,
    request_response_information = 0x19,
    response_information = 0x1A,
    server_reference = 0x1C,
    reason_string = 0x1F,
    receive_maximum = 0x21,
    topic_alias_maximum = 0x22,
    topic_alias = 0x23,
    maximum_qos = 0x24,
    retain_available = 0x25,
    user_property = 0x26,
    maximum_packet_size = 0x27,
    wildcard_subscription_available = 0x28,
    subscription_identifier_available = 0x29,
    shared_subscription_available = 0x2A,
};

/// The specification's name of a property, e.g. "Content Type".
std::string_view to_string(PropertyId) noexcept;

/// A property's identifier together with the type of its value: std::uint32_t or Octets.
template <class T> struct PropertyKey {
    PropertyId id;
};

namespace property {
inline constexpr PropertyKey<std::uint32_t> payload_format_indicator{PropertyId::payload_format_indicator};
inline constexpr PropertyKey<std::uint32_t> message_expiry_interval{PropertyId::message_expiry_interval};  // seconds
inline constexpr PropertyKey<Octets> content_type{PropertyId::content_type};
inline constexpr PropertyKey<Octets> response_topic{PropertyId::response_topic};
inline constexpr PropertyKey<Octets> correlation_data{PropertyId::correlation_data};
inline constexpr PropertyKey<std::uint32_t> subscription_identifier{PropertyId::subscription_identifier};
inline constexpr PropertyKey<std::uint32_t> session_expiry_interval{PropertyId::session_expiry_interval};  // seconds
inline constexpr PropertyKey<Octets> assigned_client_identifier{PropertyId::assigned_client_identifier};
inline constexpr PropertyKey<std::uint32_t> server_keep_alive{PropertyId::server_keep_alive};  // seconds
inline constexpr PropertyKey<Octets> authentication_method{PropertyId::authentication_method};
inline constexpr PropertyKey<Octets> authentication_data{PropertyId::authentication_data};
inline constexpr PropertyKey<std::uint32_t> request_problem_information{PropertyId::request_problem_information};
inline constexpr PropertyKey<std::uint32_t> will_delay_interval{PropertyId::will_delay_interval};  // seconds
inline constexpr PropertyKey<std::uint32_t> request_response_information{PropertyId::request_response_information};
inline constexpr PropertyKey<Octets> response_information{PropertyId::response_information};
inline constexpr PropertyKey<Octets> server_reference{PropertyId::server_reference};
inline constexpr PropertyKey<Octets> reason_string{PropertyId::reason_string};
inline constexpr PropertyKey<std::uint32_t> receive_maximum{PropertyId::receive_maximum};
inline constexpr PropertyKey<std::uint32_t> topic_alias_maximum{PropertyId::topic_alias_maximum};
inline constexpr PropertyKey<std::uint32_t> topic_alias{PropertyId::topic_alias};
inline constexpr PropertyKey<std::uint32_t> maximum_qos{PropertyId::maximum_qos};
inline constexpr PropertyKey<std::uint32_t> retain_available{PropertyId::retain_available};
inline constexpr PropertyKey<std::uint32_t> maximum_packet_size{PropertyId::maximum_packet_size};
inline constexpr PropertyKey<std::uint32_t> wildcard_subscription_available{PropertyId::wildcard_subscription_available};
inline constexpr PropertyKey<std::uint32_t> subscription_identifier_available{
    PropertyId::subscription_identifier_available};
inline constexpr PropertyKey<std::uint32_t> shared_subscription_available{PropertyId::shared_subscription_available};
} // namespace property

/// One property as it is met while iterating. Which fields count depends on the identifier's type on the wire.
struct Property {
    PropertyId id = {};
    std::uint32_t number = 0;   ///< of byte, two byte, four byte and variable byte integers
    Octets value = {};          ///< of UTF-8 strings and binary data; of a user property its value
    std::string_view name = {}; ///< of a user property
    friend bool operator==(const Property&, const Property&) = default;
};

/// A borrowed, read-only list of properties, in the order of the wire. Empty on MQTT 3.1.1.
/// Reading never leaves the octets: iteration ends where they stop to make sense.
class PropertiesView {
public:
    constexpr PropertiesView() noexcept = default;
    /// The octets behind the Property Length, as in a packet.
    constexpr explicit PropertiesView(Octets encoded) noexcept : encoded_(encoded) {}

    constexpr Octets octets() const noexcept { return encoded_; }
    constexpr bool empty() const noexcept { return encoded_.empty(); }

    std::optional<std::uint32_t> get(PropertyKey<std::uint32_t> key) const noexcept {
        return empty() ? std::optional<std::uint32_t>() : find(key);
    }
    std::optional<Octets> get(PropertyKey<Octets> key) const noexcept {
        return empty() ? std::optional<Octets>() : find(key);
    }
    /// The value of the first user property of that name.
    std::optional<std::string_view> user(std::string_view name) const noexcept;

    class iterator {
    public:
        explicit iterator(Octets rest) noexcept : rest_(rest) { read(); }
        const Property& operator*() const noexcept { return property_; }
        const Property* operator->() const noexcept { return &property_; }
        iterator& operator++() noexcept {
            rest_.remove_prefix(size_);
            read();
            return *this;
        }
        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.rest_.size() == b.rest_.size();
        }

    private:
        void read() noexcept;  // sets property_ and size_; makes rest_ empty where nothing can be read
        Octets rest_;
        std::size_t size_ = 0;
        Property property_;
    };
    iterator begin() const noexcept { return iterator(encoded_); }
    iterator end() const noexcept { return iterator({}); }

    friend bool operator==(PropertiesView a, PropertiesView b) noexcept { return a.encoded_ == b.encoded_; }

private:
    std::optional<std::uint32_t> find(PropertyKey<std::uint32_t>) const noexcept;
    std::optional<Octets> find(PropertyKey<Octets>) const noexcept;

    Octets encoded_ = {};
};

/// An owned list of properties. `Properties{}.set(property::content_type, "text/plain").add_user("unit", "C")`.
/// A value that cannot be encoded (a string of more than 65,535 octets, a number above its type) is not cut short: the
/// list is spoilt, reading it ends there, and a packet with it is refused.
class Properties {
public:
    Properties() = default;
    explicit Properties(PropertiesView view) : encoded_(view.octets()) {}

    /// Sets a property that may appear once, in place of an earlier one.
    Properties& set(PropertyKey<std::uint32_t>, std::uint32_t);
    Properties& set(PropertyKey<Octets>, Octets);
    /// Adds one more, for those that may appear several times.
    Properties& add(PropertyKey<std::uint32_t>, std::uint32_t);
    Properties& add_user(std::string_view name, std::string_view value);
    /// Removes every property of that identifier.
    Properties& remove(PropertyId);

    bool empty() const noexcept { return encoded_.empty(); }
    PropertiesView view() const noexcept { return PropertiesView(encoded_); }
    operator PropertiesView() const noexcept { return view(); }

    friend bool operator==(const Properties&, const Properties&) = default;

private:
    std::string encoded_;
};

} // namespace tortoise
