#pragma once
/// Where a socket goes: an IPv4 or IPv6 address and a port.

#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace tortoise::io {

class Address {
public:
    Address() = default;
    Address(const sockaddr* from, socklen_t size) noexcept;
    /// From "127.0.0.1", "::1" or "fe80::1%eth0"; nothing if it is none of these.
    static std::optional<Address> parse(const std::string& literal, std::uint16_t port);

    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const noexcept { return size_; }
    int family() const noexcept { return storage_.ss_family; }
    std::uint16_t port() const noexcept;
    /// "127.0.0.1:1883", "[::1]:1883".
    std::string to_string() const;

private:
    sockaddr_storage storage_ = {};
    socklen_t size_ = 0;
};

} // namespace tortoise::io
