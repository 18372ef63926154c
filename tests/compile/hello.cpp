// The smallest program of use: what scripts/hello-cost measures and headers_test.cpp counts.
#include <tortoise/tortoise.hpp>

int main() {
    tortoise::Connection home{{.client_id = "hello", .server = "mqtt://localhost:1883"}};
    const auto receipt = home.publish("hello", "world", {.qos = tortoise::QoS::at_least_once}).wait();
    return receipt ? 0 : 1;
}
