// The example of docs/styles.md with coroutines: they go on where the answer is given, on the connection's loop thread.
//   styles_coroutines [URL]
#include <cstdio>
#include <string>
#include <tortoise/coro.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

// value() throws what went wrong; the one who spawned it is told.
tortoise::Task<> talk(std::string url) {
    const tortoise::Promise<tortoise::Message> first;
    tortoise::Connection home{{.server = url}};

    (co_await home.ready()).value();
    const auto granted =
        home.subscribe({"rooms/#", QoS::at_least_once}, [first](tortoise::Connection&, const tortoise::MessageView& m) {
            first.answer(tortoise::Message(m));
        });
    (co_await granted).value();
    const auto delivery = home.publish("rooms/hall/temp", "21.5", {.qos = QoS::at_least_once});
    (co_await delivery).value();
    const auto message = (co_await first.pending()).value();
    std::printf("%s: %s\n", message.topic.c_str(), message.payload.c_str());
    (co_await home.stop(5s)).value();
}

int main(int argc, char** argv) {
    const auto over = tortoise::spawn(talk(argc > 1 ? argv[1] : "mqtt://localhost:1883")).wait(30s);
    if (!over) std::puts(over.error().describe().c_str());
    return over ? 0 : 1;
}
