// Many filters at once: a result for each, what is wanted at present, and letting them go.
//   filters [URL]
#include <cstdio>
#include <string>
#include <tortoise/tortoise.hpp>
#include <vector>

using namespace std::chrono_literals;
using tortoise::QoS;

int main(int argc, char** argv) {
    tortoise::Connection home{{.client_id = "example-filters",
                               .server = argc > 1 ? argv[1] : "mqtt://localhost:1883",
                               .limits = {.filters_per_subscribe = 8}}}; // some brokers take no more in one packet
    std::vector<tortoise::TopicFilter> wanted = {{"rooms/#/temp", QoS::at_least_once}}; // not a filter
    std::vector<std::string> names;
    for (int room = 1; room <= 20; ++room) {
        names.push_back("rooms/" + std::to_string(room) + "/temp");
        wanted.emplace_back(names.back(), QoS::at_least_once);
    }
    const auto results = home.subscribe(wanted).wait(10s);
    if (!results) return 1;
    int granted = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& result = (*results)[i];
        granted += result ? 1 : 0;
        if (!result) std::printf("%s: %s\n", wanted[i].filter.c_str(), result.error().describe().c_str());
    }
    std::printf("%d granted, %zu wanted\n", granted, home.subscriptions().size());

    const auto left = home.unsubscribe(names).wait(10s);
    return granted == 20 && left && home.subscriptions().empty() ? 0 : 1;
}
