#include "sensor.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <jackalope/session.hpp>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace demo {

using namespace std::chrono_literals;

int run_sensor(const SensorPlan& plan) {
    jackalope::Session post{{.client_id = plan.topic + "/sensor", .server = plan.server, .store = plan.store.c_str()}};
    constexpr std::size_t window = 40; // not yet delivered: far from what the work list holds
    std::deque<tortoise::Delivery> open;
    for (int number = plan.first; number < plan.first + plan.count; ++number) {
        open.push_back(
            post.publish(plan.topic, "reading " + std::to_string(number), {.qos = tortoise::QoS::exactly_once}));
        open.back().accepted().on_done([number](const tortoise::Result<tortoise::Done>& kept) {
            if (kept) std::printf("accepted %d\n", number);
            std::fflush(stdout);
        });
        if (open.size() < window) continue;
        if (const auto receipt = open.front().wait(30s); !receipt) {
            std::fprintf(stderr, "sensor: %s\n", receipt.error().describe().c_str());
            return 1;
        }
        open.pop_front();
    }
    return post.stop(30s).wait(60s) ? 0 : 1;
}

SensorProcess::SensorProcess(const SensorPlan& plan) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::vector<std::string> words = {"demo",
                                      "--sensor",
                                      plan.server,
                                      plan.store,
                                      plan.topic,
                                      std::to_string(plan.first),
                                      std::to_string(plan.count)};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int failed = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
    if (failed != 0) throw std::runtime_error("the sensor does not start");
}

SensorProcess::~SensorProcess() {
    if (pid_ > 0) kill();
    ::close(output_);
}

bool SensorProcess::read_some() {
    char piece[4096];
    ssize_t got = 0;
    do {
        got = ::read(output_, piece, sizeof piece);
    } while (got < 0 && errno == EINTR);
    if (got > 0) text_.append(piece, static_cast<std::size_t>(got));
    return got > 0;
}

bool SensorProcess::read_accepted(const std::function<bool(int)>& each) {
    while (true) {
        for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
            int number = 0;
            const bool one = std::sscanf(text_.c_str(), "accepted %d", &number) == 1;
            text_.erase(0, end + 1);
            if (one && !each(number)) return true;
        }
        if (!read_some()) return false;
    }
}

void SensorProcess::kill() {
    ::kill(pid_, SIGKILL);
    ended_well();
}

bool SensorProcess::ended_well() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace demo
