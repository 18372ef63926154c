// A device in the field: credentials that are renewed, a will, a keep-alive, delays against stampedes, and a log.
#include <atomic>
#include <cstdio>
#include <string>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

namespace {

std::atomic<bool> renewed{false};

// Logs everything, payloads excepted, and is asked for a will before every connect: this one tells which life it was.
struct Device : tortoise::LoggerHandler {
    std::optional<tortoise::Will> last_will() override {
        const auto life = std::to_string(++lives);
        return tortoise::Will{"devices/7/gone", "in life " + life, QoS::at_least_once};
    }
    int lives = 0;
};

// Asked before every connect, and told why the last attempt failed. It may answer later, from any thread.
tortoise::Pending<tortoise::Credentials> credentials(const tortoise::CredentialsRequest& request) {
    if (request.last_failure.code == tortoise::Reason::bad_user_name_or_password) renewed = true;
    const tortoise::Promise<tortoise::Credentials> promise;
    promise.answer(tortoise::Credentials{"device-7", renewed ? "new ticket" : "old ticket"});
    return promise.pending();
}

// A wrong password is retried slowly by default; here a new one is at hand.
tortoise::Retry classify(const tortoise::Error& error) noexcept {
    if (error.code == tortoise::Reason::bad_user_name_or_password) return tortoise::Retry::retry;
    return tortoise::classify(error);
}

} // namespace

int main() {
    tortoise::testing::Broker broker({.users = {{"device-7", "new ticket"}}});
    tortoise::Connection device{{.client_id = "example-device",
                                 .server = broker.url(),
                                 .handler = tortoise::make_handler<Device>(),
                                 .version = tortoise::Version::v3_1_1,
                                 .credentials = credentials,
                                 .keep_alive = 30s,
                                 .keep_alive_timeout = 5s,
                                 .first_connect_delay = 50ms, // a random part of it
                                 .backoff = {.min = 10ms, .max = 10s},
                                 .classify = classify}};
    const auto up = device.wait_until_up(10s);
    if (!up) return std::puts(up.error().describe().c_str()), 1;

    tortoise::Connection watcher{
        {.client_id = "example-watcher", .server = broker.url(), .user_name = "device-7", .password = "new ticket"}};
    std::atomic<bool> gone{false};
    const auto watched = watcher.subscribe(
        {"devices/+/gone", QoS::at_least_once}, [&](tortoise::Connection&, const tortoise::MessageView& m) {
            std::printf("%s is gone %s\n", std::string(m.levels()[1]).c_str(), std::string(m.text()).c_str());
            gone = true;
            gone.notify_all();
        });
    if (!watched.wait(10s)) return 1;
    broker.drop_connections();
    gone.wait(false); // the watcher comes back too: its session kept the message
    return device.wait_until_up(10s) && device.stop(1s).wait(10s) ? 0 : 1;
}
