// The example of docs/styles.md with callbacks: each is called on the connection's loop thread, one at a time.
//   styles_callbacks [URL]
#include <cstdio>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Connection;
using tortoise::Done;
using tortoise::Promise;
using tortoise::QoS;
using tortoise::Result;

int main(int argc, char** argv) {
    Connection home{{.server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};
    const Promise<Done> over;

    const auto hear = [over](Connection& c, const tortoise::MessageView& m) {
        std::printf("%.*s: %.*s\n", static_cast<int>(m.topic.size()), m.topic.data(),
                    static_cast<int>(m.payload.size()), m.payload.data());
        c.stop(5s).on_done([over](const Result<Done>& stopped) { over.answer(stopped); });
    };
    const auto published = [over](const Result<tortoise::Receipt>& receipt) {
        if (!receipt) over.answer(receipt.error());
    };
    const auto subscribed = [&home, over, published](const Result<tortoise::Grant>& grant) {
        if (!grant) return over.answer(grant.error());
        home.publish("rooms/hall/temp", "21.5", {.qos = QoS::at_least_once}).on_done(published);
    };
    home.ready().on_done([&home, over, hear, subscribed](const Result<tortoise::SessionInfo>& up) {
        if (!up) return over.answer(up.error());
        home.subscribe({"rooms/#", QoS::at_least_once}, hear).on_done(subscribed);
    });

    const auto result = over.pending().wait(30s);
    if (!result) std::puts(result.error().describe().c_str());
    return result ? 0 : 1;
}
