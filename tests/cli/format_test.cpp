// sub -F. tests/interop compares the same formats with what mosquitto_sub prints.

#include "cli/tool.hpp"

namespace {

using test::Words;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Format : public test::Tool {
protected:
    /// What is printed of a message, which is retained so that it can be asked for again and again.
    std::string printed(const std::string& format) {
        const auto ended = sub({"-t", "a/topic", "-q", "1", "-C", "1", "-N", "-F", format});
        EXPECT_EQ(ended.code, 0) << ended.err;
        return ended.out;
    }
    void keep(const Words& words) {
        const auto ended = pub(Words{"-t", "a/topic", "-r", "-q", "1"} + words);
        ASSERT_EQ(ended.code, 0) << ended.err;
    }
};

TEST_F(Format, CodesOfEveryMessage) {
    keep({"-m", "hé\"l"});
    const std::pair<std::string, std::string> table[] = {
        {"%t", "a/topic"}, {"%p", "hé\"l"},    {"%x", "68c3a9226c"}, {"%X", "68C3A9226C"}, {"%l", "5"},
        {"%q", "1"},       {"%r", "1"},        {"%m", "1"},          {"%%", "%"},          {"%t=%p.", "a/topic=hé\"l."},
        {"", ""},          {"plain", "plain"},
    };
    for (const auto& [format, expected] : table) EXPECT_EQ(printed(format), expected) << format;
}

TEST_F(Format, CodesOfPropertiesAreEmptyWithoutThem) {
    keep({"-m", "x"});
    EXPECT_EQ(printed("<%C%D%E%F%P%R%S>"), "<>");
}

TEST_F(Format, CodesOfProperties) {
    keep({"-m",
          "x",
          "-D",
          "publish",
          "content-type",
          "text/plain",
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
          "response-topic",
          "re/s",
          "-D",
          "publish",
          "user-property",
          "a",
          "b",
          "-D",
          "publish",
          "user-property",
          "c",
          "d"});
    EXPECT_EQ(printed("%C|%D|%F|%R|%P"), "text/plain|c1|1|re/s|a:b c:d");
    EXPECT_EQ(printed("%A"), "1"); // the broker uses aliases too
}

TEST_F(Format, Escapes) {
    keep({"-m", "x"});
    EXPECT_EQ(printed(R"(\\ \n \r \t \v \a \e \0)"), std::string("\\ \n \r \t \v \a \033 \0", 15));
}

TEST_F(Format, WidthsAndPrecisions) {
    keep({"-m", "hello", "-D", "publish", "content-type", "text/plain"});
    const std::pair<std::string, std::string> table[] = {
        {"%10t|", "   a/topic|"},
        {"%-10t|", "a/topic   |"},
        {"%.3t|", "a/t|"},
        {"%5.3t|", "  a/t|"},
        {"%-5.3t|", "a/t  |"},
        {"%010t|", "   a/topic|"},
        {"%3t|", "a/topic|"},
        {"%.t|", "|"},
        {"%5l|", "    5|"},
        {"%05l|", "00005|"},
        {"%-5l|", "5    |"},
        {"%-05l|", "5    |"},
        {"%.1l|", "5|"},
        {"%12C|", "  text/plain|"},
        {"%012C|", "  text/plain|"},
        {"%.4C|", "text|"},
        {"%5S|", "     |"},
        {"%05S|", "00000|"},
        {"%8p|", "   hello|"},
        {"%-8p|", "hello   |"},
        {"%3p|", "hello|"},
        {"%12x|", "  68656c6c6f|"},
        {"%012x|", "0068656c6c6f|"},
        {"%-12X|", "68656C6C6F  |"},
        {"%4x|", "68656c6c6f|"},
        {"%5q|", "1|"},
        {"%5%|", "%|"},
    };
    for (const auto& [format, expected] : table) EXPECT_EQ(printed(format), expected) << format;
}

TEST_F(Format, Times) {
    keep({"-m", "x"});
    EXPECT_THAT(printed("%I"), MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{4}"));
    EXPECT_THAT(printed("%U"), MatchesRegex("[0-9]{10}\\.[0-9]{9}"));
    EXPECT_THAT(printed("@Y-@m-@d @H:@M:@S.@N @s @@"),
                MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9} [0-9]{10} @"));
}

TEST_F(Format, Json) {
    keep({"-m", "hé\"l\n", "-D", "publish", "user-property", "k", "v", "-D", "publish", "response-topic", "r", "-D",
          "publish", "user-property", "k", "w"});
    EXPECT_THAT(
        printed("%j"),
        ::testing::AllOf(MatchesRegex(R"(\{"tst":"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z[+-][0-9]{4}",.*\})"),
                         HasSubstr(R"("topic":"a/topic","qos":1,"retain":1,"payloadlen":6,"mid":1,"properties":{)"
                                   R"("user-properties":{"k":"v","k":"w"},"response-topic":"r","topic-alias":1},)"
                                   R"("payload":"hé\"l\n"})")));
}

TEST_F(Format, JsonPayloadInsideOfJson) {
    keep({"-m", R"( {"b": 1, "a": [true, null]} )"});
    EXPECT_THAT(printed("%J"), ::testing::EndsWith(R"("payload":{"b":1,"a":[true,null]}})"));
    const auto pretty = sub({"-t", "a/topic", "-C", "1", "-F", "%J", "--pretty"});
    EXPECT_THAT(pretty.out, HasSubstr("\n    \"payload\": {\n        \"b\": 1,\n"));
}

TEST_F(Format, PayloadThatIsNotJsonIsAnErrorButNotTheEnd) {
    for (const std::string& payload :
         {std::string("nojson"), std::string("{\"a\":1} x"), std::string(2000, '[') + std::string(2000, ']')}) {
        keep({"-m", payload});
        const auto ended = sub({"-t", "a/topic", "-C", "1", "-F", "<%J>"});
        EXPECT_EQ(ended.code, 0);
        EXPECT_EQ(ended.out, "<>\n");
        EXPECT_EQ(ended.err, "tortoise sub: the payload is not JSON, on topic a/topic: use %j\n");
    }
}

TEST_F(Format, GoesBeforeVerbose) {
    keep({"-m", "x"});
    EXPECT_EQ(sub({"-t", "a/topic", "-C", "1", "-v", "-F", "%p"}).out, "x\n");
}

} // namespace
