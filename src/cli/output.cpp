#include "output.hpp"
#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace cli {

std::error_code write_output(std::string_view octets) {
    while (!octets.empty()) {
        const auto written = ::write(STDOUT_FILENO, octets.data(), octets.size());
        if (written >= 0) {
            octets.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) { // somebody made the descriptor non-blocking
            pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
            ::poll(&output, 1, -1);
        } else if (errno != EINTR) {
            return {errno, std::system_category()};
        }
    }
    return {};
}

} // namespace cli
