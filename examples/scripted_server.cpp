// How to test what a broker does seldom: a server that follows a script. Here it loses the connection in the middle of a
// QoS 2 delivery, and is slow to answer after that.
//   scripted_server
#include <cstdio>
#include <tortoise/testing/script.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using namespace tortoise::core;
using tortoise::QoS;

int main() {
    tortoise::testing::Gate answer;
    tortoise::testing::Script script;
    script.expect_connect({.client_id = "door"}).send(Connack{});
    script.expect_publish({.topic = "doors/front", .qos = QoS::exactly_once, .duplicate = false});
    script.drop();
    script.expect_connect({.client_id = "door"}).send(Connack{.session_present = true});
    script.expect_publish({.topic = "doors/front", .payload = "open", .duplicate = true});
    script.silence_until(answer);
    script.send(Ack{.type = PacketType::pubrec}).expect(Ack{.type = PacketType::pubrel});
    script.send(Ack{.type = PacketType::pubcomp});

    tortoise::Connection door{{.client_id = "door", .server = script.url()}};
    const auto delivery = door.publish("doors/front", "open", {.qos = QoS::exactly_once});
    const bool too_early = static_cast<bool>(delivery.wait(100ms));
    answer.open();
    const auto receipt = delivery.wait(10s);

    const auto followed = script.wait(10s);
    std::puts(script.report().c_str());
    return followed && receipt && receipt->attempts == 2 && !too_early ? 0 : 1;
}
