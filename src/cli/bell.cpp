#include "bell.hpp"
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <unistd.h>

namespace cli {

namespace {

// What a signal handler may touch.
volatile std::sig_atomic_t signal_pipe = -1;
volatile std::sig_atomic_t signal_came = 0;

extern "C" void on_signal(int) {
    const int saved = errno;
    signal_came = 1;
    [[maybe_unused]] const auto written = ::write(static_cast<int>(signal_pipe), "!", 1);
    errno = saved;
}

int milliseconds_until(std::optional<Bell::Clock::time_point> deadline) {
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Bell::Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
}

} // namespace

Bell::Bell() {
    int ends[2];
    if (::pipe(ends) != 0) std::abort(); // no file descriptors: nothing can work
    read_ = ends[0];
    write_ = ends[1];
    for (const int fd : ends) {
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

Bell::~Bell() {
    if (signal_pipe == write_) {
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
    }
    ::close(read_);
    ::close(write_);
}

void Bell::ring() noexcept {
    [[maybe_unused]] const auto written = ::write(write_, "!", 1); // a full pipe rings already
}

void Bell::ring_on_signals() {
    signal_pipe = write_;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool Bell::interrupted() const noexcept { return signal_came != 0; }

Bell::Why Bell::wait(std::optional<Clock::time_point> deadline, int output) {
    while (true) {
        pollfd watched[] = {{.fd = read_, .events = POLLIN, .revents = 0}, {.fd = output, .events = 0, .revents = 0}};
        const int ready = ::poll(watched, 2, milliseconds_until(deadline));
        if (ready < 0) continue; // EINTR: the signal rang the bell
        if (watched[0].revents != 0) {
            char rings[64];
            while (::read(read_, rings, sizeof rings) > 0) {
            }
            return Why::rung;
        }
        if (watched[1].revents != 0) return Why::output_closed;
        if (deadline && Clock::now() >= *deadline) return Why::deadline;
    }
}

} // namespace cli
