#include "io/address.hpp"
#include <algorithm>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>

namespace tortoise::io {

Address::Address(const sockaddr* from, socklen_t size) noexcept : size_(std::min<socklen_t>(size, sizeof(storage_))) {
    std::memcpy(&storage_, from, size_);
}

std::optional<Address> Address::parse(const std::string& literal, std::uint16_t port) {
    addrinfo hints = {};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(literal.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return std::nullopt;
    Address address(found->ai_addr, found->ai_addrlen);
    ::freeaddrinfo(found);
    return address;
}

std::uint16_t Address::port() const noexcept {
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

std::string Address::to_string() const {
    char host[NI_MAXHOST] = {};
    if (::getnameinfo(data(), size_, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) != 0) return "an unknown address";
    const auto name = family() == AF_INET6 ? "[" + std::string(host) + "]" : std::string(host);
    return name + ":" + std::to_string(port());
}

} // namespace tortoise::io
