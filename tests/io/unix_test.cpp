// Unix sockets: the whole library over them, and their files.
#include "io/url.hpp"
#include "support/process.hpp"
#include "support/recorder.hpp"
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tortoise/testing/broker.hpp>

namespace tortoise {
namespace {

using ::test::TemporaryDirectory;
using ::testing::HasSubstr;
using namespace std::chrono_literals;
using test::patience;

TEST(UnixSocket, CarriesAConnection) {
    const TemporaryDirectory directory;
    testing::Broker broker({.unix_path = directory.path() + "/mqtt.sock"});
    ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();
    test::Recorder recorder;
    Connection c({.server = broker.url(), .handler = recorder.factory(), .subscriptions = {{"a", QoS::at_least_once}}});
    EXPECT_EQ(broker.url(), "unix://" + directory.path() + "/mqtt.sock");
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    EXPECT_TRUE(c.publish("a", "x", {.qos = QoS::exactly_once}).wait(patience));
    EXPECT_TRUE(recorder.wait_for_messages(1));
}

TEST(UnixSocket, CanHaveAnAbstractName) {
    testing::Broker broker({.unix_path = "@tortoise-test-" + std::to_string(::getpid())});
    ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();
    Connection c({.server = broker.url()});
    EXPECT_TRUE(c.wait_until_up(patience)) << c.error().describe();
}

TEST(UnixSocket, FileGoesWithItsServer) {
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/mqtt.sock";
    {
        testing::Broker broker({.unix_path = path});
        EXPECT_TRUE(std::filesystem::exists(path));
        broker.stop();
        EXPECT_FALSE(std::filesystem::exists(path));
        EXPECT_TRUE(broker.start());
        EXPECT_TRUE(std::filesystem::exists(path));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixSocket, InUseIsNotTakenAway) {
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/mqtt.sock";
    testing::Broker broker({.unix_path = path}), second({.unix_path = path});
    EXPECT_TRUE(broker.ok());
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.ok().error().text, HasSubstr("cannot listen on " + path));
    const auto file = directory.file("a-file", "precious");
    EXPECT_FALSE(testing::Broker({.unix_path = file}).ok());
    EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(UnixSocket, ThatIsNotThereIsNamed) {
    Connection c({.server = "unix:///nowhere/mqtt.sock"});
    const auto up = c.wait_until_up(100ms);
    ASSERT_FALSE(up);
    EXPECT_THAT(up.error().text, HasSubstr("cannot connect to /nowhere/mqtt.sock: No such file"));
}

TEST(Url, OfAUnixSocketHasAPath) {
    EXPECT_EQ(io::parse_url("unix:///run/a%20b.sock")->path, "/run/a b.sock");
    EXPECT_EQ(io::parse_url("unix://@name")->path, "@name");
    EXPECT_EQ(io::parse_url("unix:///run/x.sock")->to_string(), "unix:///run/x.sock");
    for (const auto* wrong : {"unix://", "unix://run/x", "unix:///", "unix:///a%0", "unix:///a%00b"}) {
        EXPECT_EQ(io::parse_url(wrong).error().code, Errc::invalid_url) << wrong;
    }
    EXPECT_THAT(io::parse_url("unix:///" + std::string(200, 'x')).error().text,
                HasSubstr("has a path of 201 bytes; allowed on Unix sockets: at most 107"));
}

TEST(Url, OfTlsHasAPortOfItsOwn) {
    EXPECT_EQ(io::parse_url("mqtts://host")->port, 8883);
    EXPECT_EQ(io::parse_url("mqtts://host:1234")->port, 1234);
    EXPECT_TRUE(io::parse_url("MQTTS://host")->secure());
    EXPECT_FALSE(io::parse_url("mqtt://host")->secure());
}

TEST(Url, OfACustomTransportCanBeAnything) {
    const auto url = io::custom_url("serial:///dev/ttyUSB0?baud=9600");
    EXPECT_EQ(url.given, "serial:///dev/ttyUSB0?baud=9600");
    EXPECT_EQ(url.to_string(), "serial:///dev/ttyUSB0?…"); // it may hold a secret
    EXPECT_FALSE(url.secure());
    EXPECT_TRUE(io::custom_url("mqtts://me:secret@host").secure());
    EXPECT_THAT(io::custom_url("x://me:secret@host").to_string(), ::testing::Not(HasSubstr("secret")));
}

} // namespace
} // namespace tortoise
