// The example of docs/styles.md with blocking calls.
//   styles_wait [URL]
#include <cstdio>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

int main(int argc, char** argv) {
    const tortoise::Promise<tortoise::Message> first;
    tortoise::Connection home{{.server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};

    if (const auto up = home.wait_until_up(10s); !up) return std::puts(up.error().describe().c_str()), 1;
    const auto granted = home.subscribe({"rooms/#", QoS::at_least_once},
                                        [first](tortoise::Connection&, const tortoise::MessageView& m) {
                                            first.answer(tortoise::Message(m));
                                        });
    if (const auto grant = granted.wait(10s); !grant) return std::puts(grant.error().describe().c_str()), 1;
    const auto receipt = home.publish("rooms/hall/temp", "21.5", {.qos = QoS::at_least_once}).wait(10s);
    if (!receipt) return std::puts(receipt.error().describe().c_str()), 1;
    const auto message = first.pending().wait(10s);
    if (!message) return 1;
    std::printf("%s: %s\n", message->topic.c_str(), message->payload.c_str());
    return home.stop(5s).wait(10s) ? 0 : 1;
}
