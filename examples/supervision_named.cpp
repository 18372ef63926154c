// Supervision, the fourth way: supervisors with names, to which children come and go while they run.
//   supervision_named [URL]
#include <cstdio>
#include <string>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;

/// Somewhere else in the program: it knows the name, and nothing more.
bool a_sensor_appears(const std::string& server, const std::string& id) {
    auto fleet = tortoise::Supervisor::find("fleet");
    if (!fleet) return false;
    auto started =
        fleet->start({.connection = {.client_id = id, .server = server}, .restart = tortoise::Restart::permanent});
    return started && started->wait_until_up(10s);
}

int main(int argc, char** argv) {
    const std::string server = argc > 1 ? argv[1] : "mqtt://localhost:1883";
    // The fleet is a child of the building's: were it to give up, it would be started anew, with all its sensors.
    tortoise::Supervisor building({.name = "building"});
    const auto fleet =
        building.start(tortoise::SupervisorOptions{.name = "fleet", .max_restarts = 100, .spread = 10ms});
    if (!fleet) return 1;

    for (int i = 1; i <= 5; ++i) {
        if (!a_sensor_appears(server, "example-named-" + std::to_string(i))) return 1;
    }
    auto found = *tortoise::Supervisor::find("fleet");
    if (!found.stop_child("example-named-3").wait(10s)) return 1;
    for (const auto& child : found.children())
        std::printf("%s: %s\n", child.name.c_str(), std::string(to_string(child.status)).c_str());
    const bool all_there = found.children().size() == 4;
    return building.stop().wait(10s) && all_there && !tortoise::Supervisor::find("fleet") ? 0 : 1;
}
