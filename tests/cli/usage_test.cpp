// Wrong command lines: exit code 2, a line that says what is wrong, and where to read more. Nothing is connected to.

#include "cli/tool.hpp"

namespace {

using test::Words;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Wrong {
    Words words;
    std::string says;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
    for (const auto& word : wrong.words) *out << word << ' ';
}

class WrongUsage : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongUsage, ExitsWithTwoAndSaysWhatIsWrong) {
    const auto ended = test::run(test::tortoise(GetParam().words));
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.out, IsEmpty());
    EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise"), HasSubstr(GetParam().says), EndsWith("--help'.\n")));
}

INSTANTIATE_TEST_SUITE_P(Top, WrongUsage,
                         ::testing::Values(Wrong{{}, "give a command: pub, sub, broker, proxy or bench"},
                                           Wrong{{"fly"}, "there is no command 'fly'"}, Wrong{{"--fly"}, "--fly"}));

INSTANTIATE_TEST_SUITE_P(
    Pub, WrongUsage,
    ::testing::Values(
        Wrong{{"pub", "-t", "a"}, "give one message"}, Wrong{{"pub", "-t", "a", "-m", "x", "-n"}, "give one message"},
        Wrong{{"pub", "-m", "x"}, "give a topic"},
        Wrong{{"pub", "-t", "a/#", "-m", "x"}, "not a topic to publish to: 'a/#'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-q", "3"}, "QoS is 0, 1 or 2, not '3'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-q", "-1"}, "QoS is 0, 1 or 2, not '-1'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-p", "0"}, "takes a whole number from 1 to 65535, not '0'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-p", "65536"}, "not '65536'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-p", "http"}, "not 'http'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-V", "mqttv31"}, "the versions are 3.1.1 and 5, not 'mqttv31'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-h", "a b"}, "not the name or address of a host"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-h", "mqtt://a"}, "for a URL there is --url"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-L", "localhost"}, "a URL looks like mqtt://"},
        Wrong{{"pub", "-m", "x", "-L", "mqtt://u:se/cret@h/a"}, "write a '/' in a user name or password as %2F"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-k", "70000"}, "takes a whole number from 0 to 65535"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-k", "1.5"}, "not '1.5'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-c"}, "give -i ID too"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-i", "a", "-I", "b"}, "give -i or -I, not both"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-x", "long"}, "-x: takes a number of seconds"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-x", "5", "-V", "311"}, "-x: only MQTT 5 has it"},
        // [MQTT3-3.1.2-22]
        Wrong{{"pub", "-t", "a", "-m", "x", "-P", "pw", "-V", "311"}, "MQTT 3.1.1 has no password without a user name"},
        Wrong{{"pub", "-t", "a", "-m", "x", "--will-payload", "x"}, "a will needs a topic"},
        Wrong{{"pub", "-t", "a", "-m", "x", "--will-topic", "a/+"}, "--will-topic: not a topic: 'a/+'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "--will-topic", "a", "--will-qos", "3"}, "QoS is 0, 1 or 2"},
        Wrong{{"pub", "-t", "a", "-l", "--repeat", "2"}, "--repeat does not go with -l"},
        Wrong{{"pub", "-t", "a", "-m", "x", "--repeat", "0"}, "takes a whole number from 1"},
        Wrong{{"pub", "-t", "a", "-m", "x", "--repeat-delay", "soon"},
              "takes a number of seconds from 0 on, not 'soon'"},
        Wrong{{"pub", "-t", "a", "-m", "x", "--connect-timeout", "0"}, "takes a number of seconds"},
        Wrong{{"pub", "-t"}, "--topic"}));

INSTANTIATE_TEST_SUITE_P(
    Properties, WrongUsage,
    ::testing::Values(
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "publish"}, "-D takes a packet, a property and a value"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "puback", "reason-string", "x"}, "connect, publish and will"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "publish", "colour", "red"}, "no such property"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "connect", "content-type", "x"}, "connect has no such property"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "publish", "user-property", "name"}, "takes a name and a value"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "publish", "payload-format-indicator", "2"},
              "takes a number from 0 to 1"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-V", "311", "-D", "publish", "content-type", "x"},
              "only MQTT 5 has properties"},
        Wrong{{"pub", "-t", "a", "-m", "x", "-D", "will", "content-type", "x"}, "a will needs a topic"}));

INSTANTIATE_TEST_SUITE_P(
    Sub, WrongUsage,
    ::testing::Values(Wrong{{"sub"}, "give a topic filter"},
                      Wrong{{"sub", "-t", "a/#/b"}, "not a topic filter: 'a/#/b'"},
                      Wrong{{"sub", "-t", "a", "-T", "b#"}, "not a topic filter: 'b#'"},
                      Wrong{{"sub", "-t", "a", "-U", ""}, "not a topic filter: ''"},
                      Wrong{{"sub", "-t", "a", "-q", "3"}, "QoS is 0, 1 or 2, not '3'"},
                      Wrong{{"sub", "-t", "a", "-C", "0"}, "takes a whole number from 1"},
                      Wrong{{"sub", "-t", "a", "-W", "x"}, "takes a number of seconds"},
                      Wrong{{"sub", "-t", "a", "-R", "--retained-only"}, "-R and --retained-only exclude each other"},
                      Wrong{{"sub", "-t", "a", "--json", "-F", "%p"}, "give --json or -F, not both"},
                      Wrong{{"sub", "-t", "a", "-V", "311", "--no-local"}, "need MQTT 5"},
                      Wrong{{"sub", "-t", "a", "--retain-handling", "maybe"}, "maybe"},
                      Wrong{{"sub", "-t", "a", "-F", "%d"}, "-F: there is no code %d"},
                      Wrong{{"sub", "-t", "a", "-F", "%"}, "-F: ends behind a %"},
                      Wrong{{"sub", "-t", "a", "-F", "%-"}, "-F: ends behind a %"},
                      Wrong{{"sub", "-t", "a", "-F", "@"}, "-F: ends behind an @"},
                      Wrong{{"sub", "-t", "a", "-F", "\\"}, "-F: ends behind a \\"},
                      Wrong{{"sub", "-t", "a", "-F", "\\q"}, "-F: there is no escape \\q"},
                      Wrong{{"sub", "-t", "a", "-F", "%99999999999999999999t"}, "-F: a width is at most 10000"}));

INSTANTIATE_TEST_SUITE_P(
    Broker, WrongUsage,
    ::testing::Values(Wrong{{"broker", "--port", "x"}, "takes a whole number from 0 to 65535, not 'x'"},
                      Wrong{{"broker", "--user", "anna"}, "--user takes NAME:PASSWORD"},
                      Wrong{{"broker", "--deny-publish", "a/#/b"}, "not a topic filter: 'a/#/b'"},
                      Wrong{{"broker", "--maximum-qos", "3"}, "QoS is 0, 1 or 2"},
                      Wrong{{"broker", "--receive-maximum", "0"}, "takes a whole number from 1"},
                      Wrong{{"broker", "--retain", "maybe"}, "maybe"}, Wrong{{"broker", "--copies", "two"}, "two"}));

INSTANTIATE_TEST_SUITE_P(
    Bench, WrongUsage,
    ::testing::Values(
        Wrong{{"bench"}, "give what to measure: pub, sub or rtt"},
        Wrong{{"bench", "-q", "1"}, "give what to measure: pub, sub or rtt"},
        Wrong{{"bench", "fly"}, "it measures pub, sub or rtt, not 'fly'"}, Wrong{{"bench", "pub", "sub"}, "sub"},
        Wrong{{"bench", "pub", "-q", "3"}, "QoS is 0, 1 or 2, not '3'"},
        Wrong{{"bench", "pub", "--count", "0"}, "--count: takes a whole number from 1 to 1000000000000, not '0'"},
        Wrong{{"bench", "pub", "--count", "many"}, "not 'many'"},
        Wrong{{"bench", "pub", "--size", "-1"}, "--size: takes a whole number from 0 to 268435455, not '-1'"},
        Wrong{{"bench", "pub", "--size", "268435456"}, "not '268435456'"},
        Wrong{{"bench", "rtt", "--window", "0"}, "--window: takes a whole number from 1 to 65535, not '0'"},
        Wrong{{"bench", "rtt", "--window", "65536"}, "not '65536'"},
        Wrong{{"bench", "sub", "--connections", "0"}, "--connections: takes a whole number from 1 to 100000, not '0'"},
        Wrong{{"bench", "sub", "--timeout", "0"}, "takes a number of seconds from 0.001 on, not '0'"},
        Wrong{
            {"bench", "pub", "-q", "1", "--window", "1000", "--size", "10000000"},
            "--window 1000 of --size 10000000 on 1 connection are 10000000000 octets on their way: at most 1073741824"},
        Wrong{{"bench", "pub", "-t", "a/#"}, "not a topic to publish to: 'a/#'"},
        Wrong{{"bench", "rtt", "-t", "a/+"}, "not a topic to publish to: 'a/+'"},
        Wrong{{"bench", "sub", "-t", "a/#/b"}, "not a topic filter: 'a/#/b'"},
        Wrong{{"bench", "sub", "-V", "4"}, "the versions are 3.1.1 and 5, not '4'"}));

TEST(Usage, PasswordsAreNotShown) {
    for (const Words& words : {Words{"pub", "-t", "a", "-m", "x", "-L", "mqtt://anna:secret@host:99999"},
                               Words{"pub", "-t", "a", "-m", "x", "-L", "mqtt://anna:secret@host:port"},
                               Words{"pub", "-m", "x", "-L", "mqtt://anna:sec/ret@host"},
                               Words{"pub", "-t", "a", "-m", "x", "-P", "secret", "-V", "311"},
                               Words{"pub", "-t", "a", "-m", "x", "-d", "-p", "1", "-u", "anna", "-P", "secret"},
                               Words{"broker", "--user", "secret"}}) {
        const auto ended = test::run(test::tortoise(words));
        EXPECT_NE(ended.code, 0);
        EXPECT_THAT(ended.err + ended.out, ::testing::Not(::testing::ContainsRegex("sec|ret@")));
    }
}

TEST(Usage, QuietKeepsErrorsOfTheCommandLine) {
    EXPECT_THAT(test::run(test::tortoise({"pub", "--quiet", "-t", "a"})).err, HasSubstr("give one message"));
}

} // namespace
