#include <cstdio>
#include <tortoise/connection.hpp>

namespace tortoise {

std::string_view to_string(Status status) noexcept {
    switch (status) {
    case Status::connecting: return "connecting";
    case Status::up: return "up";
    case Status::down: return "down";
    case Status::stopped: return "stopped";
    }
    return "unknown status";
}

void Handler::warning(Connection& connection, std::string_view text) {
    const auto line = "tortoise: " + std::string(connection.client_id()) + ": " + std::string(text) + "\n";
    std::fputs(line.c_str(), stderr);
}

} // namespace tortoise
