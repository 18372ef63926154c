// --help and --version: on standard output, exit code 0, and complete.

#include "cli/tool.hpp"

namespace {

using test::Words;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string help(const Words& command) {
    const auto ended = test::run(test::tortoise(command + Words{"--help"}));
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, IsEmpty());
    return ended.out;
}

TEST(Help, OfTheCommandNamesEverySubcommand) {
    EXPECT_THAT(help({}), AllOf(HasSubstr("Usage: tortoise COMMAND"), HasSubstr("\n  pub "), HasSubstr("\n  sub "),
                                HasSubstr("\n  broker "), HasSubstr("\n  bench "), HasSubstr("\n  proxy "),
                                HasSubstr("tortoise COMMAND --help")));
}

TEST(Help, OfEachSubcommandHasUsageExamplesAndExitCodes) {
    for (const std::string name : {"pub", "sub", "broker", "bench", "proxy"}) {
        const auto text = help({name});
        EXPECT_THAT(text, AllOf(HasSubstr("Usage: tortoise " + name), HasSubstr("Examples:\n  tortoise " + name),
                                HasSubstr("Exit codes:\n  0 ")));
    }
}

TEST(Help, NamesEachOption) {
    const Words shared = {"-h,--host",
                          "-p,--port",
                          "-L,--url",
                          "--unix",
                          "--cafile",
                          "--capath",
                          "--tls-use-os-certs",
                          "--cert",
                          "--key",
                          "--keypass",
                          "--insecure",
                          "--tls-version",
                          "--ciphers",
                          "--tls-alpn",
                          "--psk",
                          "--psk-identity",
                          "-V,--protocol-version",
                          "--connect-timeout",
                          "--retry",
                          "-u,--username",
                          "-P,--pw",
                          "-i,--id",
                          "-I,--id-prefix",
                          "-k,--keepalive",
                          "-c,--disable-clean-session",
                          "-x,--session-expiry-interval",
                          "-D,--property",
                          "--will-topic",
                          "--will-payload",
                          "--will-qos",
                          "--will-retain",
                          "-d,--debug",
                          "--quiet"};
    const Words of_pub = {"-t,--topic",      "-m,--message",      "-f,--file", "-l,--stdin-line",
                          "-s,--stdin-file", "-n,--null-message", "-q,--qos",  "-r,--retain",
                          "--repeat",        "--repeat-delay",    "--timeout"};
    const Words of_sub = {"-t,--topic",
                          "-T,--filter-out",
                          "-U,--unsubscribe",
                          "-q,--qos",
                          "-C,--count",
                          "-W,--wait",
                          "-E,",
                          "-v,--verbose",
                          "-F,--format",
                          "--json",
                          "--pretty",
                          "-N",
                          "-R",
                          "--no-local",
                          "--retained-only",
                          "--remove-retained",
                          "--retain-as-published",
                          "--retain-handling"};
    const Words of_broker = {"-p,--port",
                             "-h,--host",
                             "--unix",
                             "--cert",
                             "--key",
                             "--cafile",
                             "--require-certificate",
                             "--psk",
                             "--tls-alpn",
                             "--tls-version",
                             "--user",
                             "--users",
                             "--deny-subscribe",
                             "--deny-publish",
                             "--maximum-qos",
                             "--server-keep-alive",
                             "--retain",
                             "--no-retain",
                             "--receive-maximum",
                             "--maximum-packet-size",
                             "--copies",
                             "--topic-alias-maximum",
                             "--session-expiry-cap",
                             "--fault",
                             "--capture",
                             "--capture-payloads"};
    const Words of_proxy = {"--to",   "--listen", "--unix",  "--to-cafile", "--to-insecure",
                            "--cert", "--key",    "--fault", "--capture",   "--capture-payloads"};
    const Words of_bench = {"-t,--topic",    "-q,--qos",  "-C,--count", "--size",    "--window",
                            "--connections", "--timeout", "--json",     "--progress"};
    for (const auto& [command, options] :
         {std::pair{"pub", of_pub + shared}, std::pair{"sub", of_sub + shared}, std::pair{"broker", of_broker},
          std::pair{"bench", of_bench + shared}, std::pair{"proxy", of_proxy}}) {
        const auto text = help({command});
        for (const auto& option : options) EXPECT_THAT(text, HasSubstr("\n  " + option)) << command;
    }
}

TEST(Help, FitsATerminal) {
    for (const Words& command : {Words{}, Words{"pub"}, Words{"sub"}, Words{"broker"}, Words{"bench"}, Words{"proxy"},
                                 Words{"bench", "pub"}}) {
        std::istringstream lines(help(command));
        for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 130u) << line;
    }
}

TEST(Version, IsOneLine) {
    const auto ended = test::run(test::tortoise({"--version"}));
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, ::testing::MatchesRegex("tortoise [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Help, HyphenHIsTheHost) {
    // As mosquitto has it. A port on which nobody listens: the word behind -h was taken as a host.
    const auto ended = test::run(test::tortoise({"pub", "-h", "127.0.0.1", "-p", "1", "-t", "a", "-m", "x"}));
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, StartsWith("tortoise pub: connection refused by 127.0.0.1:1"));
}

} // namespace
