// Server URLs: what they may look like, and what is said of others.
#include "io/url.hpp"
#include <gmock/gmock.h>

namespace tortoise::io {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Url, hasAHostAndADefaultPort) {
    const auto url = parse_url("mqtt://broker.example");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme, "mqtt");
    EXPECT_EQ(url->host, "broker.example");
    EXPECT_EQ(url->port, 1883);
    EXPECT_FALSE(url->user);
    EXPECT_FALSE(url->password);
    EXPECT_EQ(url->to_string(), "mqtt://broker.example:1883");
}

TEST(Url, mayHaveAPortAUserAndAPassword) {
    const auto url = parse_url("MQTT://ann:p%40ss:word@10.0.0.1:8883/");
    ASSERT_TRUE(url);
    EXPECT_EQ(*url->user, "ann");
    EXPECT_EQ(*url->password, "p@ss:word");
    EXPECT_EQ(url->host, "10.0.0.1");
    EXPECT_EQ(url->port, 8883);
    EXPECT_EQ(url->to_string(), "mqtt://10.0.0.1:8883"); // never shows who
}

TEST(Url, tellsNoPasswordFromAnEmptyOne) {
    EXPECT_FALSE(parse_url("mqtt://ann@h")->password);
    EXPECT_EQ(*parse_url("mqtt://ann:@h")->password, "");
}

TEST(Url, takesIpv6Addresses) {
    EXPECT_EQ(parse_url("mqtt://[::1]")->host, "::1");
    EXPECT_EQ(parse_url("mqtt://[fe80::1%25eth0]:99")->host, "fe80::1%eth0");
    EXPECT_EQ(parse_url("mqtt://[fe80::1%25eth0]:99")->port, 99);
    EXPECT_EQ(parse_url("mqtt://[::1]:99")->to_string(), "mqtt://[::1]:99");
}

TEST(Url, saysWhatIsWrongAndWhatIsAllowed) {
    const std::pair<const char*, const char*> wrong[] = {
        {"", "the URL is empty"},
        {"localhost", "'localhost' has no scheme"},
        {"localhost:1883", "has no scheme"},
        {"mqtt:localhost", "has no scheme"},
        {"mqtt://", "has no host"},
        {"mqtt://:1883", "has no host"},
        {"mqtt://h:", "has port ''"},
        {"mqtt://h:0", "has port '0'"},
        {"mqtt://h:65536", "has port '65536'"},
        {"mqtt://h:18x", "has port '18x'"},
        {"mqtt://h:-1", "has port '-1'"},
        {"mqtt://::1", "has more than one ':'"},
        {"mqtt://[::1", "has a '[' without a ']'"},
        {"mqtt://[h]", "has no IPv6 address"},
        {"mqtt://[::1]x", "has something behind the ']'"},
        {"mqtt://h/path", "has something behind host and port"},
        {"mqtt://h?query", "has something behind host and port"},
        {"mqtt://h#fragment", "has something behind host and port"},
        {"mqtt://a b", "has a space"},
        {"mqtt://a%zz@h", "has a user name with a '%'"},
        {"mqtt://a:%4@h", "has a password with a '%'"},
        {"mqtt://h%2", "has a host with a '%'"},
    };
    for (const auto& [text, what] : wrong) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::invalid_url) << text;
        EXPECT_THAT(url.error().text, HasSubstr(what)) << text;
        EXPECT_THAT(url.error().text, EndsWith("; allowed: mqtt://[user[:password]@]host[:port], mqtts://…, "
                                               "ws://…[/path[?query]], wss://…, unix:///path"))
            << text;
    }
}

TEST(Url, namesTheSchemesThatAreSupported) {
    for (const std::string scheme : {"http", "tcp", "mqttss"}) {
        const auto url = parse_url(scheme + "://h");
        ASSERT_FALSE(url);
        EXPECT_EQ(url.error().code, Errc::invalid_url);
        EXPECT_EQ(url.error().text, "scheme '" + scheme + "' is not supported; allowed: mqtt, mqtts, ws, wss, unix");
    }
}

TEST(Url, OfWebSocketHasAPathAndMayHaveAQuery) {
    const auto url = parse_url("ws://ann:pw@h/a/b?c=d@e:/f");
    ASSERT_TRUE(url) << url.error().text;
    EXPECT_EQ(url->path, "/a/b?c=d@e:/f");
    EXPECT_EQ(url->host, "h");
    EXPECT_EQ(url->port, 80);
    EXPECT_EQ(*url->password, "pw");
    EXPECT_TRUE(url->websocket());
    EXPECT_FALSE(url->secure());
    EXPECT_EQ(url->to_string(), "ws://h:80/a/b");
    EXPECT_EQ(url->http_host(), "h");
    EXPECT_EQ(parse_url("wss://h:444")->http_host(), "h:444");
    EXPECT_EQ(parse_url("wss://[::1]")->http_host(), "[::1]");
    EXPECT_EQ(parse_url("wss://h")->port, 443);
    EXPECT_TRUE(parse_url("wss://h")->secure());
    EXPECT_EQ(parse_url("ws://h")->path, "/mqtt");
    EXPECT_EQ(parse_url("ws://h/")->path, "/");
    EXPECT_EQ(parse_url("ws://h?a")->path, "/?a");
    EXPECT_THAT(parse_url("ws://h/a#b").error().text, HasSubstr("has a '#'"));
    EXPECT_THAT(parse_url("ws://h/a b").error().text, HasSubstr("has a path with a space"));
    EXPECT_THAT(parse_url("ws://h/\r\n").error().text, HasSubstr("a control character"));
    EXPECT_THAT(parse_url("ws://" + std::string(256, 'h')).error().text, HasSubstr("a host of more than 255 bytes"));
}

TEST(Url, neverShowsAPassword) {
    for (const auto* text : {"mqtt://ann:sesame@h:0", "ann:sesame@h", "mqtt://ann:sesame@", "mqtt://a:sesame@b@h:x",
                             "ws://h:0/?token=sesame", "ws://h/a?sesame#b", "ws://h:0/?a@sesame",
                             "mqtt://ann:open?sesame@h:0", "ws://ann:sesame@h:0/?a@sesame"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_THAT(url.error().text, Not(HasSubstr("sesame"))) << text;
    }
}

TEST(Reference, leadsToHostAndPortWithTheSchemeThatThereIs) {
    const auto plain = *parse_url("mqtt://a"), secure = *parse_url("mqtts://u:p@a:1");
    EXPECT_EQ(referred("b", plain)->to_string(), "mqtt://b:1883");
    EXPECT_EQ(referred("b:7 c:8", secure)->to_string(), "mqtts://b:7");
    EXPECT_EQ(referred("[::1]:7", secure)->to_string(), "mqtts://[::1]:7");
    EXPECT_EQ(referred("mqtts://b", plain)->to_string(), "mqtts://b:8883");
    EXPECT_FALSE(referred("eve:x@b", plain)->user);
    EXPECT_FALSE(referred("eve:x@b", plain)->password);
}

TEST(Reference, leadsNeitherOutOfTlsNorToFiles) {
    const auto plain = *parse_url("mqtt://a"), secure = *parse_url("mqtts://a"), local = *parse_url("unix:///a");
    EXPECT_NE(referred("mqtt://b", secure).error().text.find("'mqtt://b' is not followed: it leads out of TLS"),
              std::string::npos);
    for (const auto* wrong : {"unix:///etc/passwd", "ws://b", "", " b", "b:99999", "b/path", "mqtt://"})
        EXPECT_FALSE(referred(wrong, plain)) << wrong;
    EXPECT_FALSE(referred("b", local));
    EXPECT_FALSE(referred("b", custom_url("my://b")));
}

} // namespace
} // namespace tortoise::io
