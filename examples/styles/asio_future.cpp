// The example of docs/styles.md with std::future, by Boost.Asio. get() throws what went wrong.
//   styles_asio_future [URL]
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <tortoise/asio.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using boost::asio::use_future;
using tortoise::async;
using tortoise::QoS;

int main(int argc, char** argv) try {
    const tortoise::Promise<tortoise::Message> first;
    tortoise::Connection home{{.server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};

    async(home.ready(), use_future).get();
    const auto granted =
        home.subscribe({"rooms/#", QoS::at_least_once}, [first](tortoise::Connection&, const tortoise::MessageView& m) {
            first.answer(tortoise::Message(m));
        });
    async(granted, use_future).get();
    const auto delivery = home.publish("rooms/hall/temp", "21.5", {.qos = QoS::at_least_once});
    async(delivery, use_future).get();
    const auto message = async(first.pending(), use_future).get();
    std::printf("%s: %s\n", message.topic.c_str(), message.payload.c_str());
    async(home.stop(5s), use_future).get();
} catch (const std::exception& e) {
    std::puts(e.what());
    return 1;
}
