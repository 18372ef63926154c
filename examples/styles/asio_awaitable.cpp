// The example of docs/styles.md in a coroutine of Boost.Asio, with the connection on its io_context: one thread for
// all.
//   styles_asio_awaitable [URL]
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <string>
#include <tortoise/asio.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using boost::asio::use_awaitable;
using tortoise::async;
using tortoise::QoS;

boost::asio::awaitable<void> talk(boost::asio::io_context& io, std::string url) {
    const tortoise::Promise<tortoise::Message> first;
    tortoise::Connection home{{.server = url}, tortoise::runtime_on(io)};

    co_await async(home.ready(), use_awaitable);
    const auto granted =
        home.subscribe({"rooms/#", QoS::at_least_once}, [first](tortoise::Connection&, const tortoise::MessageView& m) {
            first.answer(tortoise::Message(m));
        });
    co_await async(granted, use_awaitable);
    const auto delivery = home.publish("rooms/hall/temp", "21.5", {.qos = QoS::at_least_once});
    co_await async(delivery, use_awaitable);
    const auto message = co_await async(first.pending(), use_awaitable);
    std::printf("%s: %s\n", message.topic.c_str(), message.payload.c_str());
    co_await async(home.stop(5s), use_awaitable);
}

int main(int argc, char** argv) {
    boost::asio::io_context io;
    int result = 0;
    boost::asio::co_spawn(io, talk(io, argc > 1 ? argv[1] : "mqtt://localhost:1883"), [&](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const std::exception& e) {
            std::puts(e.what());
            result = 1;
        }
    });
    io.run(); // ends when the connection has ended
    return result;
}
