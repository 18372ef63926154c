// A program that is made to be killed: publishes numbers, durably, and says which of them were accepted.
//   durable_sender URL STORE VERSION QOS FIRST    from FIRST on, without an end
//   durable_sender URL STORE VERSION QOS          nothing new: ends when what is left was delivered
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <tortoise/tortoise.hpp>

using namespace tortoise;
using namespace std::chrono_literals;

int main(int count, char** words) {
    if (count < 5) return 2;
    Connection connection({.client_id = "sender",
                           .server = words[1],
                           .version = std::string(words[3]) == "5" ? Version::v5 : Version::v3_1_1,
                           .session = {.clean_start = false},
                           .store = words[2]});
    if (connection.status() == Status::stopped) {
        std::fprintf(stderr, "%s\n", connection.error().describe().c_str());
        return 1;
    }
    const auto qos = static_cast<QoS>(std::atoi(words[4]));
    if (count < 6) {
        const auto up = connection.wait_until_up(30s);
        static_cast<void>(connection.stop(30s).wait());
        return up ? 0 : 1;
    }
    constexpr std::size_t window = 200; // not yet accepted
    std::deque<Pending<Done>> open;
    for (long number = std::atol(words[5]);; ++number) {
        const auto accepted = connection.publish("numbers", std::to_string(number), {.qos = qos}).accepted();
        accepted.on_done([number](const Result<Done>& result) {
            if (result) std::printf("accepted %ld\n", number);
            std::fflush(stdout);
        });
        open.push_back(accepted);
        if (open.size() < window) continue;
        static_cast<void>(open.front().wait());
        open.pop_front();
    }
}
