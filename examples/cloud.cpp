// A device that is written for AWS IoT Core, tried without it: on a broker that behaves alike, with certificates made
// here. With the name of an endpoint and files for the certificates it would be the same program.
#include <cstdio>
#include <string>
#include <tortoise/profile.hpp>
#include <tortoise/testing/broker.hpp>
#include <tortoise/testing/certificates.hpp>
#include <tortoise/tortoise.hpp>
#include <vector>

using namespace std::chrono_literals;
using tortoise::QoS;

int main() {
    const tortoise::testing::TestCertificates certificates;
    tortoise::testing::Broker cloud{{.tls = certificates.for_broker(), .profile = "aws"}};

    auto options = tortoise::apply(tortoise::profiles::aws(), {
                                                                  .client_id = "door",
                                                                  .server = cloud.url(), // or "…amazonaws.com"
                                                                  .tls = certificates.for_device(),
                                                              });
    if (!options) {
        std::printf("%s\n", options.error().describe().c_str());
        return 1;
    }
    tortoise::Connection door{*options};

    // 150 at once are more than AWS takes in a second, and loses without a word. Here they wait for their turn.
    std::vector<tortoise::Delivery> deliveries;
    for (int i = 0; i < 150; ++i)
        deliveries.push_back(door.publish("doors/front/opened", std::to_string(i), {.qos = QoS::at_least_once}));
    for (const auto& delivery : deliveries)
        if (!delivery.wait(30s)) return 2;
    std::printf("150 messages arrived\n");

    // What AWS would never answer is told here and now.
    const auto twice = door.publish("doors/front", "open", {.qos = QoS::exactly_once}).wait(10s);
    std::printf("QoS 2: %s\n", twice.error().describe().c_str());
    const auto deep = door.publish("1/2/3/4/5/6/7/8/9", "open").wait(10s);
    std::printf("9 levels: %s\n", deep.error().describe().c_str());
    return twice || deep ? 3 : 0;
}
