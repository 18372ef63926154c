// Publishes one message through a broker of its own.
#include <cstdio>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

int main() {
    tortoise::testing::Broker broker;
    tortoise::Connection home{{.client_id = "consumer", .server = broker.url()}};
    auto receipt = home.publish("hello", "world", {.qos = tortoise::QoS::exactly_once}).wait(std::chrono::seconds(30));
    if (!receipt) std::fprintf(stderr, "%s\n", receipt.error().describe().c_str());
    return receipt ? 0 : 1;
}
