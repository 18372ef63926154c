// tortoise sub: what is printed of what arrives, and when it ends.

#include "cli/tool.hpp"

namespace {

using test::Words;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Sub : public test::Tool {
protected:
    using Tool::Tool;
    void publish(const std::string& topic, const std::string& message, const Words& more = {}) const {
        const auto ended = pub(Words{"-t", topic, "-m", message} + more);
        ASSERT_EQ(ended.code, 0) << ended.err;
    }
};

TEST_F(Sub, PrintsPayloadsOneALine) {
    auto sub = subscriber({"-t", "a", "-C", "2"});
    publish("a", "one");
    publish("a", "two");
    const auto ended = sub->wait();
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.out, "one\ntwo\n");
}

TEST_F(Sub, WritesEachMessageAtOnce) {
    auto sub = subscriber({"-t", "a"});
    publish("a", "one");
    EXPECT_TRUE(sub->says("one\n"));
}

TEST_F(Sub, VerboseHasTheTopic) {
    auto sub = subscriber({"-t", "a/+", "-C", "2", "-v"});
    publish("a/b", "x");
    publish("a/c", "");
    EXPECT_EQ(sub->wait().out, "a/b x\na/c (null)\n");
}

TEST_F(Sub, WithoutNewline) {
    auto sub = subscriber({"-t", "a", "-C", "2", "-N"});
    publish("a", "one");
    publish("a", "two");
    EXPECT_EQ(sub->wait().out, "onetwo");
}

TEST_F(Sub, SeveralFilters) {
    auto sub = subscriber({"-t", "a", "-t", "b/#", "-C", "3", "-v"});
    ASSERT_TRUE(sub->says("subscribed to b/#"));
    publish("a", "1");
    publish("c", "no");
    publish("b", "2");
    publish("b/c", "3");
    EXPECT_EQ(sub->wait().out, "a 1\nb 2\nb/c 3\n");
}

TEST_F(Sub, FilterOutIsNotPrintedAndNotCounted) {
    auto sub = subscriber({"-t", "#", "-T", "a/+", "-T", "b", "-C", "1", "-v"});
    publish("a/x", "no");
    publish("b", "no");
    publish("a", "yes");
    EXPECT_EQ(sub->wait().out, "a yes\n");
}

TEST_F(Sub, QosIsTheLowerOfBoth) {
    auto sub = subscriber({"-t", "a", "-q", "1", "-C", "3", "-F", "%q"});
    for (const std::string qos : {"0", "1", "2"}) publish("a", "x", {"-q", qos});
    EXPECT_EQ(sub->wait().out, "0\n1\n1\n");
}

TEST_F(Sub, WaitEndsWithTwentySeven) {
    const auto ended = sub({"-t", "a", "-W", "0.1"});
    EXPECT_EQ(ended.code, 27);
    EXPECT_EQ(ended.err, "tortoise sub: the time of -W is over\n");
}

TEST_F(Sub, SignalsEndItWell) {
    for (const int number : {SIGINT, SIGTERM}) {
        auto sub = subscriber({"-t", "a"});
        sub->signal(number);
        EXPECT_EQ(sub->wait().code, 0);
    }
}

TEST_F(Sub, ReaderThatGoesAwayEndsItQuietly) {
    auto sub = std::make_unique<test::Process>(at("sub", {"-t", "a"}));
    sub->close_output();
    const auto ended = sub->wait();
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, IsEmpty());
}

TEST_F(Sub, FullOutputIsAnError) {
    ASSERT_NO_FATAL_FAILURE(publish("a", "x", {"-r"}));
    const auto words = at("sub", {"-t", "a"});
    std::string line;
    for (const auto& word : words) line += "'" + word + "' ";
    const auto ended = test::run({"/bin/sh", "-c", line + "> /dev/full"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "tortoise sub: cannot write to standard output: No space left on device\n");
}

TEST_F(Sub, ExitWhenSubscribed) {
    const auto ended = sub({"-t", "a", "-t", "b", "-E", "-d"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("subscribed to a (QoS 0)"), HasSubstr("subscribed to b (QoS 0)")));
}

TEST_F(Sub, KeptSessionMissesNothing) {
    for (const std::string version : {"5", "3.1.1"}) {
        const Words session = {"-t", "a", "-q", "1", "-c", "-i", "keeper" + version, "-V", version};
        ASSERT_EQ(sub(session + Words{"-E"}).code, 0);
        publish("a", "meanwhile", {"-q", "1"});
        publish("a", "and again", {"-q", "1"});
        EXPECT_EQ(sub(session + Words{"-C", "2"}).out, "meanwhile\nand again\n") << version;
    }
}

TEST_F(Sub, KeptSessionHandsOutAsManyAsWereCountedAndKeepsTheRest) {
    const Words session = {"-t", "a", "-q", "1", "-c", "-i", "counter"};
    ASSERT_EQ(sub(session + Words{"-E"}).code, 0);
    for (const std::string message : {"1", "2", "3"}) publish("a", message, {"-q", "1"});
    for (const std::string message : {"1", "2", "3"}) EXPECT_EQ(sub(session + Words{"-C", "1"}).out, message + "\n");
}

TEST_F(Sub, SessionOfACleanStartIsNotKept) {
    ASSERT_EQ(sub({"-t", "a", "-q", "1", "-i", "guest", "-E"}).code, 0);
    EXPECT_TRUE(soon([](const auto& s) { return s.sessions == 0; }));
}

TEST_F(Sub, SessionExpiryIsGiven) {
    ASSERT_EQ(sub({"-t", "a", "-c", "-i", "short", "-x", "0", "-E"}).code, 0);
    EXPECT_TRUE(soon([](const auto& s) { return s.sessions == 0; }));
    ASSERT_EQ(sub({"-t", "a", "-c", "-i", "long", "-x", "-1", "-E"}).code, 0);
    EXPECT_TRUE(soon([](const auto& s) { return s.sessions == 1; }));
}

TEST_F(Sub, UnsubscribeEndsASubscriptionOfAKeptSession) {
    const Words session = {"-q", "1", "-c", "-i", "keeper"};
    ASSERT_EQ(sub(session + Words{"-t", "a", "-t", "b", "-E"}).code, 0);
    ASSERT_EQ(sub(session + Words{"-U", "a", "-E"}).code, 0);
    publish("a", "no", {"-q", "1"});
    publish("b", "yes", {"-q", "1"});
    EXPECT_EQ(sub(session + Words{"-t", "b", "-C", "1"}).out, "yes\n");
}

// ---- Retained messages
// -----------------------------------------------------------------------------------------------

TEST_F(Sub, StaleMessagesCanBeLeftOut) {
    publish("a", "stale", {"-r"});
    auto sub = subscriber({"-t", "a", "-R", "-C", "1"});
    publish("a", "fresh");
    EXPECT_EQ(sub->wait().out, "fresh\n");
}

TEST_F(Sub, RetainedOnlyEndsWithTheFirstFreshOne) {
    publish("a", "1", {"-r"});
    publish("b", "2", {"-r"});
    auto sub = subscriber({"-t", "#", "--retained-only"});
    ASSERT_TRUE(sub->says("2\n"));
    publish("a", "fresh");
    const auto ended = sub->wait();
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.out, "1\n2\n");
}

TEST_F(Sub, RetainedMessagesCanBeRemoved) {
    publish("a", "1", {"-r"});
    publish("b", "2", {"-r"});
    EXPECT_EQ(sub({"-t", "#", "-T", "b", "--remove-retained", "-C", "1"}).out, "1\n");
    EXPECT_EQ(sub({"-t", "#", "-C", "1"}).out, "2\n");
    EXPECT_TRUE(soon([](const auto& s) { return s.retained == 1; }));
}

TEST_F(Sub, RetainHandlingAndRetainAsPublished) {
    publish("a", "stale", {"-r"});
    auto sub = subscriber({"-t", "a", "--retain-handling", "never", "--retain-as-published", "-C", "1", "-F", "%r %p"});
    publish("a", "fresh", {"-r"});
    EXPECT_EQ(sub->wait().out, "1 fresh\n");
}

// ---- Trouble
// -----------------------------------------------------------------------------------------------------------

class DeniedSub : public Sub {
protected:
    DeniedSub() : Sub({.deny_subscribe = {"secret/#"}}) {}
};

TEST_F(DeniedSub, IsAnErrorThatNamesTheFilter) {
    for (const std::string version : {"5", "3.1.1"}) {
        const auto ended = sub({"-t", "secret/x", "-V", version});
        EXPECT_EQ(ended.code, 5);
        EXPECT_THAT(ended.err, StartsWith("tortoise sub: the broker refused the subscription to 'secret/x': "));
    }
}

TEST_F(DeniedSub, OneOfTwoIsAWordUnlessItMayExit) {
    auto sub = subscriber({"-t", "secret/x", "-t", "a", "-C", "1"});
    publish("a", "x");
    const auto ended = sub->wait();
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, HasSubstr("refused the subscription to 'secret/x'"));
    EXPECT_EQ(this->sub({"-t", "secret/x", "-t", "a", "-E"}).code, 5);
}

TEST_F(Sub, LostConnectionIsMadeAgainAndSubscribedAgain) {
    auto sub = subscriber({"-t", "a", "-C", "1"});
    broker_.forget_sessions();
    ASSERT_TRUE(sub->says("; trying again"));
    EXPECT_THAT(sub->err(), HasSubstr("the broker ended the connection to "));
    // The second subscription may still be on its way: publish until one arrives.
    test::Process pub(at("pub", {"-t", "a", "-m", "x", "--repeat", "1000", "--repeat-delay", "0.02"}));
    EXPECT_EQ(sub->wait().out, "x\n");
}

// ---- JSON
// ----------------------------------------------------------------------------------------------------------------

TEST_F(Sub, JsonHasEverything) {
    auto sub = subscriber({"-t", "a/b", "-q", "1", "-C", "1", "--json"});
    publish("a/b", "hé\"llo\n",
            {"-q",
             "1",
             "-D",
             "publish",
             "content-type",
             "text/plain",
             "-D",
             "publish",
             "user-property",
             "k",
             "v",
             "-D",
             "publish",
             "user-property",
             "k",
             "w",
             "-D",
             "publish",
             "message-expiry-interval",
             "60"});
    EXPECT_THAT(
        sub->wait().out,
        ::testing::MatchesRegex(
            R"(\{"timestamp":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z","topic":"a/b","qos":1,"retain":false,)"
            R"("duplicate":false,"packet_id":1,"payload_length":8,"payload":"hé\\"llo\\n",)"
            R"("properties":\{"content_type":"text/plain","topic_alias":1,"message_expiry_interval":60,)"
            R"("user_properties":\[\["k","v"\],\["k","w"\]\]\}\})"
            "\n"));
}

TEST_F(Sub, JsonHasBase64ForWhatIsNotText) {
    test::TemporaryDirectory directory;
    for (const auto& [octets, encoded] : {std::pair<std::string, std::string>{"\xFF", "/w=="},
                                          {"\xFF\xFE", "//4="},
                                          {"\xFF\xFE\xFD", "//79"},
                                          {"\xC0\x80", "wIA="},
                                          {"\xED\xA0\x80", "7aCA"}}) {
        auto sub = subscriber({"-t", "a", "-C", "1", "--json"});
        ASSERT_EQ(pub({"-t", "a", "-f", directory.file("x", octets)}).code, 0);
        EXPECT_THAT(sub->wait().out, HasSubstr("\"payload_base64\":\"" + encoded + "\""));
    }
}

TEST_F(Sub, JsonCanBePretty) {
    auto sub = subscriber({"-t", "a", "-C", "1", "--json", "--pretty"});
    publish("a", "x");
    EXPECT_THAT(sub->wait().out, HasSubstr("\n    \"topic\": \"a\",\n"));
}

TEST_F(Sub, NotAllIsPrintedWhenQuiet) {
    const auto ended = sub({"-t", "a", "-W", "0.1", "--quiet"});
    EXPECT_EQ(ended.code, 27);
    EXPECT_THAT(ended.err, IsEmpty());
}

} // namespace
