// -F and -v print what mosquitto_sub prints.

#include "interop/brokers.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

namespace {

using test::Words;

class SameOutput : public ::testing::Test {
protected:
    void keep(const Words& words) const {
        const auto ended =
            test::run(Words{TORTOISE_PROGRAM, "pub"} + broker_.at() + Words{"-t", "a/topic", "-r", "-q", "1"} + words);
        ASSERT_EQ(ended.code, 0) << ended.err;
    }
    std::string printed(const Words& program, const Words& words) const {
        const auto ended =
            test::run(program + broker_.at() + Words{"-V", "5", "-t", "a/topic", "-q", "1", "-C", "1"} + words);
        EXPECT_EQ(ended.code, 0) << ended.err;
        return ended.out;
    }
    void expect_same(const Words& words) const {
        EXPECT_EQ(printed({TORTOISE_PROGRAM, "sub"}, words), printed({"mosquitto_sub"}, words)) << words.back();
    }
    test::Mosquitto broker_;
};

const Words properties = {"-D",
                          "publish",
                          "user-property",
                          "a",
                          "b",
                          "-D",
                          "publish",
                          "content-type",
                          "text/plain",
                          "-D",
                          "publish",
                          "user-property",
                          "c",
                          "d",
                          "-D",
                          "publish",
                          "response-topic",
                          "re/s",
                          "-D",
                          "publish",
                          "correlation-data",
                          "co",
                          "-D",
                          "publish",
                          "payload-format-indicator",
                          "1"};

const Words codes = {"%%",    "%A",    "%C",    "%D",    "%E",    "%F",   "%l",    "%m",   "%P",     "%p",
                     "%q",    "%R",    "%r",    "%S",    "%t",    "%x",   "%X",    "%5A",  "%20C",   "%-20C",
                     "%020C", "%5.3C", "%10F",  "%05F",  "%-5F",  "%5l",  "%05l",  "%-5l", "%-05l",  "%.1l",
                     "%5m",   "%05m",  "%8.3R", "%5S",   "%05S",  "%10t", "%-10t", "%.3t", "%10.3t", "%010t",
                     "%5q",   "%5r",   "%10p",  "%-10p", "%010p", "%5D",  "%20P",  "%5%",  "%.2C",   "%-10.2t"};

TEST_F(SameOutput, OfEveryCodeWithProperties) {
    keep(Words{"-m", "h\"\xC3\xA9llo"} + properties);
    std::string all;
    for (const auto& code : codes) all += "|" + code;
    expect_same({"-F", all + "|"});
}

TEST_F(SameOutput, OfEveryCodeWithoutProperties) {
    keep({"-m", "plain"});
    std::string all;
    for (const auto& code : codes) all += "|" + code;
    expect_same({"-F", all + "|"});
}

TEST_F(SameOutput, OfEscapesAndOfTimesThatDoNotChangeWhileTheTestRuns) {
    keep({"-m", "x"});
    expect_same({"-N", "-F", R"(\\|\n|\r|\t|\v|\a|\e[1m|\0|@@|@%|@n|@t|@G)"});
}

TEST_F(SameOutput, OfPlainAndVerboseOutput) {
    keep({"-m", "x"});
    expect_same({"-v"});
    expect_same({"-N"});
    expect_same({"-v", "-N"});
}

TEST_F(SameOutput, OfJsonExceptForTheTime) {
    const std::regex time("\"tst\":\"[0-9-]{10}T[0-9:]{8}\\.[0-9]{6}Z");
    for (const auto& message : {Words{"-m", "h\"\\/\xC3\xA9\n\t\x01\x7F"} + properties,
                                Words{"-m", R"( {"a": [1, "x", null, true], "b": {}} )"}}) {
        keep(message);
        for (const std::string format : {"%j", "%J"}) {
            if (format == "%J" && message.size() > 2) continue; // its payload is no JSON
            const auto ours = printed({TORTOISE_PROGRAM, "sub"}, {"-F", format});
            const auto theirs = printed({"mosquitto_sub"}, {"-F", format});
            EXPECT_TRUE(std::regex_search(ours, time)) << ours;
            EXPECT_EQ(std::regex_replace(ours, time, "T"), std::regex_replace(theirs, time, "T"));
        }
    }
}

TEST_F(SameOutput, OfTheExitCodeOfAWaitThatEnds) {
    for (const auto& program : {Words{TORTOISE_PROGRAM, "sub"}, Words{"mosquitto_sub"}})
        EXPECT_EQ(test::run(program + broker_.at() + Words{"-t", "nothing", "-W", "1"}).code, 27);
}

} // namespace
