// Captures: what stands in them, and what must not.
#include "testing/fault_filter.hpp"
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <unistd.h>

namespace tortoise::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::Capture;
using testing::FaultFilter;
using testing::Faults;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::Side;

std::string encoded(const core::Packet& packet) {
    std::string octets;
    EXPECT_TRUE(core::encode(Version::v5, packet, octets));
    return octets;
}

/// A conversation with secrets in every place that has them.
void converse(const Capture& capture, Faults faults = {}) {
    const core::Time now(1s);
    FaultFilter filter(now, faults, capture, core::largest_packet, "10.1.2.3:4567");
    Properties secret;
    secret.set(property::authentication_method, "OWN").set(property::authentication_data, "secret-1");
    Properties correlation;
    correlation.set(property::correlation_data, "private-1");
    const core::Connect connect{.client_id = "me",
                                .will = core::ConnectWill{.topic = "gone", .payload = "private-2"},
                                .user_name = "anna",
                                .password = "secret-2",
                                .properties = secret};
    filter.received(now, Side::client, encoded(connect));
    filter.received(now, Side::broker, encoded(core::Connack{}));
    filter.received(now, Side::client, encoded(core::Auth{.reason = Reason::reauthenticate, .properties = secret}));
    filter.received(now, Side::client,
                    encoded(core::Publish{.id = 7,
                                          .topic = "rooms/\"hall\"",
                                          .payload = "private-3",
                                          .qos = QoS::at_least_once,
                                          .properties = correlation}));
    filter.received(now, Side::broker, encoded(core::Ack{.type = core::PacketType::puback, .id = 7}));
    filter.received(now, Side::broker, encoded(core::Publish{.topic = "a", .payload = "private-4"}));
    filter.closed(now, Side::client);
}

TEST(Captures, AreTextWithALineForEachPacket) {
    const Capture capture;
    converse(capture, Faults{"drop PUBACK", "delay PUBLISH 1s to=broker"});
    const auto text = capture.text();
    EXPECT_THAT(text, HasSubstr("#1 (10.1.2.3:4567 connected)\n"));
    EXPECT_THAT(text, HasSubstr("#1 client: CONNECT client_id=\"me\""));
    EXPECT_THAT(text, HasSubstr("#1 broker: PUBACK id=7 reason=\"success\"   <- drop PUBACK\n"));
    EXPECT_THAT(text, HasSubstr("payload=9 bytes"));
    EXPECT_THAT(text, HasSubstr("<- delay PUBLISH 1s to=broker\n"));
    EXPECT_THAT(text, HasSubstr("#1 (the client has gone)\n"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 8);
}

TEST(Captures, AreJsonLines) {
    const Capture capture;
    converse(capture, Faults{"drop PUBACK", "refuse PUBLISH reason=banned on=never"});
    const auto json = capture.json();
    EXPECT_THAT(json, HasSubstr(R"("connection":1,"event":"10.1.2.3:4567 connected"})"));
    EXPECT_THAT(json,
                HasSubstr(R"("from":"client","octets":40,"packet":"PUBLISH","id":7,"topic":"rooms/\"hall\"","qos":1)"));
    EXPECT_THAT(json, HasSubstr(R"("faults":"drop PUBACK","arrived_octets":0})"));
    std::istringstream lines(json);
    for (std::string line; std::getline(lines, line);) EXPECT_THAT(line, MatchesRegex("\\{\"time\":-?[0-9.]+,.*\\}"));
}

TEST(Captures, NeverHaveSecretsAndPayloadsOnlyIfAsked) {
    for (const bool payloads : {false, true}) {
        const Capture capture({.payloads = payloads});
        converse(capture);
        for (const auto& form : {capture.text(), capture.json(), capture.pcap()}) {
            EXPECT_THAT(form, Not(HasSubstr("secret"))) << form;
            EXPECT_THAT(form, HasSubstr("anna"));
            EXPECT_EQ(form.find("private") != std::string::npos, payloads) << form;
        }
        for (const auto* name : {"private-1", "private-2", "private-3", "private-4"})
            EXPECT_EQ(capture.pcap().find(name) != std::string::npos, payloads) << name;
    }
}

TEST(Captures, OfWhatIsNoPacketHaveItsSize) {
    const Capture capture({.payloads = true});
    FaultFilter filter(core::Time(), Faults{}, capture, core::largest_packet, "me");
    filter.received(core::Time(), Side::client, Octets("\x10\x06secret", 8));
    EXPECT_THAT(capture.text(), AllOf(HasSubstr("client: 8 octets that are no packet"), Not(HasSubstr("secret"))));
    EXPECT_THAT(capture.pcap(), Not(HasSubstr("secret")));
}

TEST(Captures, KeepTheLatestWithinTheirBound) {
    const Capture capture({.most_octets = 10'000});
    FaultFilter filter(core::Time(), Faults{}, capture, core::largest_packet, "me");
    for (int i = 0; i < 1000; ++i)
        filter.received(core::Time(), Side::client, encoded(core::Publish{.topic = "t/" + std::to_string(i)}));
    const auto text = capture.text();
    EXPECT_THAT(text, MatchesRegex("\\(9[0-9][0-9] earlier lines are left out\\)\n.*"));
    EXPECT_THAT(text, AllOf(HasSubstr("t/999"), Not(HasSubstr("t/100\""))));
}

// ---- pcap ----------------------------------------------------------------------------------------------------------

/// Reads a capture file as strictly as its readers do; the octets of each side by the client's port, out of TCP.
class Pcap {
public:
    explicit Pcap(const std::string& file) : file_(file) {
        EXPECT_EQ(number(0, 4), 0xA1B2C3D4u);
        EXPECT_EQ(number(4, 2), 2u);
        EXPECT_EQ(number(6, 2), 4u);
        EXPECT_EQ(number(20, 4), 101u);
        for (std::size_t at = 24; at < file_.size();) {
            const auto size = number(at + 8, 4);
            EXPECT_LT(number(at + 4, 4), 1'000'000u);
            EXPECT_EQ(number(at + 12, 4), size);
            if (at + 16 + size > file_.size()) {
                ADD_FAILURE() << "the last record is cut";
                return;
            }
            packet(at + 16, size);
            at += 16 + size;
        }
    }
    std::map<std::size_t, std::string> from_client, from_broker;
    std::size_t handshakes = 0;

private:
    std::size_t number(std::size_t at, std::size_t size) const {
        std::size_t value = 0;
        for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(file_[at + i]);
        return value;
    }
    std::size_t sum(std::size_t at, std::size_t size) const {
        std::size_t sum = 0;
        for (std::size_t i = 0; i + 1 < size; i += 2) sum += number(at + i, 2);
        return size % 2 == 1 ? sum + (number(at + size - 1, 1) << 8) : sum;
    }
    static std::size_t folded(std::size_t sum) {
        while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
        return sum;
    }
    void packet(std::size_t ip, std::size_t size) {
        ASSERT_EQ(number(ip, 1), 0x45u);
        ASSERT_EQ(number(ip + 2, 2), size);
        ASSERT_EQ(number(ip + 9, 1), 6u);
        EXPECT_EQ(folded(sum(ip, 20)), 0xFFFFu) << "the checksum of IP";
        const auto tcp = ip + 20, length = size - 20;
        EXPECT_EQ(folded(sum(ip + 12, 8) + 6 + length + sum(tcp, length)), 0xFFFFu) << "the checksum of TCP";
        const bool of_client = number(tcp + 2, 2) == 1883;
        const auto port = number(of_client ? tcp : tcp + 2, 2);
        auto& next = next_[{port, of_client}];
        const auto sequence = number(tcp + 4, 4), flags = number(tcp + 13, 1);
        if ((flags & 2) != 0) {
            ++handshakes;
            next = sequence + 1;
        } else {
            EXPECT_EQ(sequence, next);
            next += length - 20;
        }
        if ((flags & 0x10) != 0) {
            EXPECT_EQ(number(tcp + 8, 4), (next_[{port, !of_client}]));
        }
        (of_client ? from_client : from_broker)[port] += file_.substr(tcp + 20, length - 20);
    }

    const std::string file_;
    std::map<std::pair<std::size_t, bool>, std::size_t> next_;
};

TEST(Captures, AsPcapAreWhatTheClientsSentAndGot) {
    const Capture capture({.payloads = true});
    Faults faults{"drop PUBLISH to=broker", "duplicate PUBLISH to=client nth=1", "cut PUBLISH to=client at=3 nth=2"};
    const std::string big(200'000, 'y');
    const auto from_client = encoded(core::Publish{.topic = "a", .payload = big});
    const auto from_broker = encoded(core::Publish{.topic = "b", .payload = "1"});
    for (int i = 0; i < 2; ++i) {
        FaultFilter filter(core::Time(), faults, capture, core::largest_packet, "me");
        filter.received(core::Time(), Side::client, from_client);
        filter.received(core::Time(), Side::broker, from_broker);
    }
    const Pcap pcap(capture.pcap());
    EXPECT_EQ(pcap.handshakes, 4u);
    ASSERT_EQ(pcap.from_client.size(), 2u);
    for (const auto& [port, octets] : pcap.from_client) EXPECT_EQ(octets, from_client);
    EXPECT_EQ(pcap.from_broker.at(10'001), from_broker + from_broker);
    EXPECT_EQ(pcap.from_broker.at(10'002), from_broker.substr(0, 3));
}

TEST(Captures, AsPcapHaveDelayedAndReorderedPacketsWhenTheyArrived) {
    const Capture capture;
    const Faults faults{"reorder PUBACK nth=1", "refuse PUBLISH", "reorder PINGREQ"};
    FaultFilter filter(core::Time(), faults, capture, core::largest_packet, "me");
    const auto ack = [](core::PacketId id) { return encoded(core::Ack{.type = core::PacketType::puback, .id = id}); };
    filter.received(core::Time(), Side::broker, ack(1) + ack(2));
    filter.received(core::Time(), Side::client,
                    encoded(core::Publish{.id = 3, .topic = "a", .qos = QoS::at_least_once}));
    for (int i = 0; i < 2; ++i) filter.received(core::Time(), Side::client, encoded(core::Pingreq{}));
    const Pcap pcap(capture.pcap());
    const auto refused =
        encoded(core::Ack{.type = core::PacketType::puback, .id = 3, .reason = Reason::unspecified_error});
    EXPECT_EQ(pcap.from_broker.at(10'001), ack(2) + ack(1) + refused);
    EXPECT_EQ(pcap.from_client.at(10'001).size(), 8u + 2 * encoded(core::Pingreq{}).size());
    EXPECT_THAT(capture.text(), HasSubstr("proxy: PUBACK id=3 reason=\"unspecified error\""));
}

TEST(Captures, AreWrittenByTheNameOfTheFile) {
    const Capture capture;
    converse(capture);
    const auto directory = std::filesystem::temp_directory_path() / ("capture_test." + std::to_string(::getpid()));
    std::filesystem::create_directory(directory);
    const auto written = [&](const std::string& name) {
        const auto path = (directory / name).string();
        const auto done = capture.write_to(path);
        EXPECT_TRUE(done) << done.error().describe();
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_EQ(written("a.pcap"), capture.pcap());
    EXPECT_EQ(written("a.json"), capture.json());
    EXPECT_EQ(written("a.jsonl"), capture.json());
    EXPECT_EQ(written("a.txt"), capture.text());
    const auto failed = capture.write_to((directory / "no" / "a.txt").string());
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().text, HasSubstr("cannot write '"));
    std::filesystem::remove_all(directory);
}

} // namespace
} // namespace tortoise::test
