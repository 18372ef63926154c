// tortoise pub: what arrives of what was given.

#include "cli/tool.hpp"

namespace {

using test::Words;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Pub : public test::Tool {
protected:
    using Tool::Tool;
    /// What a subscriber to everything printed of what these words published.
    std::string received(const Words& words, const std::string& format, const std::string& input = {}, int count = 1) {
        auto sub = subscriber({"-t", "#", "-q", "2", "-N", "-F", format, "-C", std::to_string(count)});
        const auto ended = pub(words, input);
        EXPECT_EQ(ended.code, 0) << ended.err;
        EXPECT_THAT(ended.out, IsEmpty());
        return sub->wait().out;
    }
    test::TemporaryDirectory directory_;
};

std::string all_octets() {
    std::string octets;
    for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
    return octets;
}

TEST_F(Pub, MessageOfTheCommandLine) {
    EXPECT_EQ(received({"-t", "a/b", "-m", "hello"}, "%t %q %r %p"), "a/b 0 0 hello");
}

TEST_F(Pub, MessagesThatLookLikeOptionsOrLists) {
    for (const std::string message : {"--help", "-t", "[a,b]", "a,b", "%%", "{}", "=", "'\"\\", " "})
        EXPECT_EQ(received({"-t", "a", "-m", message}, "%p"), message);
    EXPECT_EQ(received({"-t", "a", "-m", ""}, "%l"), "0");
    EXPECT_EQ(received({"-t", "a", "-m", "-D", "-q", "1"}, "%q %p"), "1 -D");
}

TEST_F(Pub, EachQos) {
    for (const std::string version : {"5", "3.1.1"})
        for (const std::string qos : {"0", "1", "2"})
            EXPECT_EQ(received({"-t", "a", "-m", "x", "-q", qos, "-V", version}, "%q"), qos);
}

TEST_F(Pub, VersionsUnderAllTheirNames) {
    for (const std::string version : {"5", "mqttv5", "v5", "3.1.1", "311", "mqttv311", "v3.1.1"})
        EXPECT_EQ(pub({"-t", "a", "-m", "x", "-V", version}).code, 0) << version;
}

TEST_F(Pub, RetainedMessageIsKept) {
    ASSERT_EQ(pub({"-t", "a", "-m", "kept", "-r"}).code, 0);
    EXPECT_EQ(sub({"-t", "a", "-C", "1", "-F", "%r %p"}).out, "1 kept\n");
    ASSERT_EQ(pub({"-t", "a", "-n", "-r", "-q", "1"}).code, 0);
    EXPECT_TRUE(soon([](const auto& s) { return s.retained == 0; }));
}

TEST_F(Pub, NullMessage) { EXPECT_EQ(received({"-t", "a", "-n"}, "%l"), "0"); }

TEST_F(Pub, BinaryFile) {
    const auto path = directory_.file("octets", all_octets());
    EXPECT_EQ(received({"-t", "a", "-f", path}, "%p"), all_octets());
}

TEST_F(Pub, FileOfTenMebibytesAtEachQos) {
    const std::string large(10u << 20, '\xA5');
    const auto path = directory_.file("large", large);
    for (const std::string qos : {"0", "1", "2"})
        EXPECT_TRUE(received({"-t", "a", "-f", path, "-q", qos}, "%p") == large) << "QoS " << qos;
}

TEST_F(Pub, FileThatCannotBeReadIsNamed) {
    const auto ended = pub({"-t", "a", "-f", "/no/such/file"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "tortoise pub: cannot read /no/such/file: No such file or directory\n");
    EXPECT_EQ(pub({"-t", "a", "-f", directory_.path()}).code, 1);
}

TEST_F(Pub, WholeStandardInput) {
    EXPECT_EQ(received({"-t", "a", "-s"}, "%p", all_octets() + "\n\n"), all_octets() + "\n\n");
}

TEST_F(Pub, MessagePerLineBinaryEmptyAndWithoutLastNewline) {
    const std::string input = std::string("one\n\nb\0\xFF\r\n", 10) + "last";
    for (const std::string qos : {"0", "1", "2"})
        EXPECT_EQ(received({"-t", "a", "-l", "-q", qos}, "<%p>", input, 4),
                  std::string("<one><><b\0\xFF\r><last>", 19));
}

TEST_F(Pub, LinesOfAnyLength) {
    const std::string a(300'000, 'a'), b(65'536, 'b'), c(65'535, 'c');
    EXPECT_TRUE(received({"-t", "a", "-l", "-q", "1"}, "%p", a + "\n" + b + "\n" + c + "\n", 3) == a + b + c);
}

TEST_F(Pub, ManyLinesAllArriveInOrder) {
    std::string input;
    for (int i = 0; i < 20'000; ++i) input += std::to_string(i) + "\n";
    for (const std::string qos : {"0", "1", "2"})
        EXPECT_TRUE(received({"-t", "a", "-l", "-q", qos}, "%p\\n", input, 20'000) == input) << "QoS " << qos;
}

TEST_F(Pub, LinesGoOutAsTheyComeIn) {
    auto sub = subscriber({"-t", "a"});
    test::Process pub(at("pub", {"-t", "a", "-l", "-d"}));
    pub.write("first\n");
    EXPECT_TRUE(pub.says("delivered to a"));
    EXPECT_TRUE(sub->says("first\n"));
}

TEST_F(Pub, NoLinesAreNoMessages) {
    EXPECT_EQ(pub({"-t", "a", "-l"}, "").code, 0);
    EXPECT_EQ(broker_.statistics().publishes_received, 0u);
}

TEST_F(Pub, Repeated) {
    EXPECT_EQ(received({"-t", "a", "-m", "x", "--repeat", "3", "-q", "1"}, "%p", {}, 3), "xxx");
    EXPECT_EQ(received({"-t", "a", "-m", "x", "--repeat", "3", "--repeat-delay", "0.01"}, "%p", {}, 3), "xxx");
}

TEST_F(Pub, Properties) {
    EXPECT_EQ(received({"-t",
                        "a",
                        "-m",
                        "x",
                        "-D",
                        "publish",
                        "content-type",
                        "text/plain",
                        "-D",
                        "PUBLISH",
                        "user-property",
                        "-odd",
                        "--name",
                        "--property",
                        "publish",
                        "response-topic",
                        "re/ply",
                        "-D",
                        "publish",
                        "correlation-data",
                        "c1",
                        "-D",
                        "publish",
                        "payload-format-indicator",
                        "1",
                        "-D",
                        "publish",
                        "message-expiry-interval",
                        "100",
                        "-D",
                        "publish",
                        "user-property",
                        "a",
                        "b"},
                       "%C|%P|%R|%D|%F|%E"),
              "text/plain|-odd:--name a:b|re/ply|c1|1|100");
}

TEST_F(Pub, ConnectPropertiesAreTaken) {
    EXPECT_EQ(pub({"-t",
                   "a",
                   "-m",
                   "x",
                   "-q",
                   "2",
                   "-D",
                   "connect",
                   "receive-maximum",
                   "5",
                   "-D",
                   "connect",
                   "maximum-packet-size",
                   "1000",
                   "-D",
                   "connect",
                   "session-expiry-interval",
                   "7",
                   "-D",
                   "connect",
                   "request-problem-information",
                   "1",
                   "-D",
                   "connect",
                   "request-response-information",
                   "0",
                   "-D",
                   "connect",
                   "user-property",
                   "from",
                   "test"})
                  .code,
              0);
}

TEST_F(Pub, WillIsPublishedWhenItIsKilled) {
    auto sub = subscriber({"-t", "w/#", "-q", "2", "-C", "1", "-F", "%t %q %r %C %p", "--retain-as-published"});
    test::Process pub(at("pub", {"-t", "a", "-l", "-d", "--will-topic", "w/ill", "--will-payload", "gone", "--will-qos",
                                 "1", "--will-retain", "-D", "will", "content-type", "text/x-will", "-D", "will",
                                 "will-delay-interval", "0"}));
    ASSERT_TRUE(pub.says("connected to")) << pub.err();
    pub.crash();
    EXPECT_EQ(sub->wait().out, "w/ill 1 1 text/x-will gone\n");
}

TEST_F(Pub, WillIsNotPublishedWhenItEnds) {
    auto sub = subscriber({"-t", "w", "-C", "1"});
    ASSERT_EQ(pub({"-t", "a", "-m", "x", "--will-topic", "w", "--will-payload", "gone"}).code, 0);
    ASSERT_EQ(pub({"-t", "w", "-m", "next"}).code, 0);
    EXPECT_EQ(sub->wait().out, "next\n");
}

TEST_F(Pub, DebugTellsOfConnectionAndDelivery) {
    const auto ended = pub({"-t", "a", "-m", "x", "-q", "1", "-i", "me", "-d"});
    EXPECT_THAT(ended.err, AllOf(HasSubstr("connected to 127.0.0.1:" + port() + " (MQTT 5, client me, new session)"),
                                 HasSubstr("delivered to a (QoS 1, ")));
}

TEST_F(Pub, ClientIdentifierPrefix) {
    test::Process pub(at("pub", {"-t", "a", "-m", "x", "-I", "meter-", "-d"}));
    EXPECT_THAT(pub.wait().err, ::testing::ContainsRegex("client meter-[0-9]+,"));
}

TEST_F(Pub, MessagesAreNotLostWhenTheConnectionIs) {
    auto sub = subscriber({"-t", "a", "-q", "2", "-C", "3", "-c", "-i", "sub"});
    test::Process pub(at("pub", {"-t", "a", "-m", "x", "-q", "2", "--repeat", "3", "--repeat-delay", "0.05", "-d"}));
    ASSERT_TRUE(pub.says("delivered"));
    broker_.drop_connections();
    EXPECT_EQ(pub.wait().code, 0) << pub.err();
    EXPECT_EQ(sub->wait().out, "x\nx\nx\n");
}

// ---- Not delivered
// ---------------------------------------------------------------------------------------------------

class DeniedPub : public Pub {
protected:
    DeniedPub() : Pub({.deny_publish = {"secret/#"}}) {}
};

TEST_F(DeniedPub, IsAnErrorWithAdvice) {
    const auto ended = pub({"-t", "secret/door", "-m", "x", "-q", "1"});
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise pub: not delivered to 'secret/door': not authorized (MQTT 0x87)"),
                                 EndsWith("this user may not publish there; see -u and -P\n")));
}

TEST_F(DeniedPub, SeveralAreCounted) {
    const auto ended = pub({"-t", "secret/door", "-l", "-q", "2"}, "a\nb\nc\n");
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, StartsWith("tortoise pub: 3 of 3 messages not delivered; the first: not delivered to"));
}

class SmallPackets : public Pub {
protected:
    SmallPackets() : Pub({.maximum_packet_size = 1000}) {}
};

TEST_F(SmallPackets, LargerMessagesAreRefusedBeforeTheyAreSent) {
    for (const std::string qos : {"0", "1", "2"}) {
        const auto ended = pub({"-t", "a", "-m", std::string(2000, 'x'), "-q", qos});
        EXPECT_EQ(ended.code, 6) << "QoS " << qos;
        EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise pub: not delivered to 'a': "),
                                     EndsWith("the broker takes smaller messages only\n")));
    }
    EXPECT_EQ(pub({"-t", "a", "-m", std::string(500, 'x'), "-q", "2"}).code, 0);
}

class NoRetain : public Pub {
protected:
    NoRetain() : Pub({.retain_available = false}) {}
};

TEST_F(NoRetain, RetainedMessageIsNotDelivered) {
    const auto ended = pub({"-t", "a", "-m", "x", "-r", "-q", "1"});
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise pub: not delivered to 'a': "), HasSubstr("etain")));
}

TEST(Timeout, AMessageThatNobodyAcknowledges) {
    tortoise::testing::Broker broker;
    test::Process pub(test::tortoise({"pub", "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-t", "a", "-l",
                                      "-q", "1", "-d", "--timeout", "0.2"}));
    ASSERT_TRUE(pub.says("connected to"));
    broker.stop();
    ASSERT_TRUE(pub.says("trying again"));
    EXPECT_THAT(pub.err(), HasSubstr("the broker ended the connection to 127.0.0.1:" + std::to_string(broker.port())));
    pub.write("x\ny\n");
    const auto ended = pub.wait();
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, HasSubstr("not delivered"));
}

} // namespace
