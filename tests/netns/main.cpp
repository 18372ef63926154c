// Real faults need real interfaces: these tests make network namespaces of their own, which only root may. Where that
// is not possible the program says why, and ends with the exit code for "cannot run".
#include "support/process.hpp"

#include <gtest/gtest.h>
#include <iostream>
#include <sched.h>
#include <sys/mount.h>

namespace {

constexpr int cannot_run = 77;

/// What this process mounts, and the names of its namespaces, nobody else sees; they go with it, however it ends.
bool seclude() {
    std::error_code ignored;
    std::filesystem::create_directory("/run/netns", ignored);
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tortoise", "/run/netns", "tmpfs", 0, nullptr) == 0;
}

/// Empty: nothing.
std::string what_is_missing() {
    if (::geteuid() != 0) return "not root";
    if (!seclude()) return "no mounts of one's own are allowed here (in a container without privileges?)";
    const auto probe = "tortoise-" + std::to_string(::getpid());
    const test::Words commands[] = {
        {"mosquitto", "-h"},
        {"setpriv", "--version"},
        {"ip", "netns", "add", probe},
        {"ip", "netns", "exec", probe, "nft", "add", "table", "inet", "probe"},
        {"ip", "link", "add", "probe0", "netns", probe, "type", "veth", "peer", "name", "probe1", "netns", probe},
        {"ip", "netns", "del", probe},
    };
    for (const auto& command : commands) {
        std::string line;
        for (const auto& word : command) line += (line.empty() ? "" : " ") + word;
        try {
            const auto ended = test::run(command);
            const bool is_help = command.back() == "-h"; // mosquitto's exit code is 3 then
            if (ended.code != 0 && !is_help) return "'" + line + "' fails: " + ended.err;
        } catch (const std::exception& missing) {
            return missing.what();
        }
    }
    return {};
}

} // namespace

int main(int count, char** words) {
    ::testing::InitGoogleTest(&count, words);
    if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
    if (const auto missing = what_is_missing(); !missing.empty()) {
        std::cerr << "netns_tests: cannot run: " << missing << '\n';
        return cannot_run;
    }
    return RUN_ALL_TESTS();
}
