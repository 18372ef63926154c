// What is said to proxies, and what their answers come to.
#include "io/proxy.hpp"
#include <gmock/gmock.h>

namespace tortoise::io {
namespace {

using namespace std::string_literals;
using State = Handshake::Step::State;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<Handshake> through(const char* proxy, const char* server) {
    return proxy_handshake(*parse_proxy_url(proxy), *parse_url(server));
}

/// One octet at a time, since proxies may cut as they like; everything is used, and nothing but the end ends it.
Handshake::Step heard(Handshake& client, const std::string& answer) {
    std::string waiting;
    Handshake::Step step;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        waiting += answer[i];
        step = client.hear(waiting);
        waiting.erase(0, step.used);
        if (i + 1 < answer.size()) {
            EXPECT_EQ(step.state, State::more) << i << ": " << step.error.describe();
            if (step.state != State::more) break;
        }
    }
    return step;
}

TEST(ProxyUrl, SaysWhatIsWrongAndWhatIsAllowed) {
    EXPECT_EQ(parse_proxy_url("http://p")->port, 80);
    EXPECT_EQ(parse_proxy_url("SOCKS5://u:p%40@[::1]")->port, 1080);
    EXPECT_EQ(*parse_proxy_url("socks5h://u:p%40@[::1]:7/")->password, "p@");
    const auto wrong = [](const std::string& text, const char* why) {
        const auto url = parse_proxy_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::invalid_option);
        EXPECT_THAT(url.error().text, HasSubstr(why));
        EXPECT_THAT(url.error().text, HasSubstr("; allowed: http://[user[:password]@]host[:port], socks5://"));
        EXPECT_THAT(url.error().text, Not(HasSubstr("sesame")));
    };
    wrong("localhost:1", "proxy 'localhost:1' has no scheme");
    wrong("https://p", "has a scheme that is not supported");
    wrong("http://u:sesame@p/x", "has something behind host and port");
    wrong("http://", "has no host");
    wrong("http://p:0", "has port '0'");
    wrong("socks5://u:" + std::string(256, 'x') + "@p", "a password of more than 255 bytes");
}

TEST(HttpProxy, IsAskedToConnect) {
    const auto client = through("http://ann:open:sesame@proxy:8080", "mqtts://broker");
    EXPECT_EQ(client->begin(), "CONNECT broker:8883 HTTP/1.1\r\nHost: broker:8883\r\n"
                               "Proxy-Authorization: Basic YW5uOm9wZW46c2VzYW1l\r\n\r\n");
    const auto step = heard(*client, "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n");
    EXPECT_EQ(step.state, State::done) << step.error.describe();
    EXPECT_EQ(through("http://proxy", "mqtt://[::1]")->begin(),
              "CONNECT [::1]:1883 HTTP/1.1\r\nHost: [::1]:1883\r\n\r\n");
}

TEST(HttpProxy, MayRefuse) {
    const auto later = std::make_error_code(std::errc::resource_unavailable_try_again);
    const std::tuple<std::string, std::error_code, const char*> answers[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
         make_error_code(Errc::proxy_refused),
         "the proxy answered 407 Proxy Authentication Required to CONNECT broker:1883"},
        {"HTTP/1.0 403 Filtered\r\n\r\n", make_error_code(Errc::proxy_refused), "answered 403 Filtered"},
        {"HTTP/1.1 502 Bad Gateway\r\n\r\n", later, "answered 502 Bad Gateway"},
    };
    for (const auto& [answer, code, text] : answers) {
        const auto step = heard(*through("http://ann:sesame@p", "mqtt://broker"), answer);
        EXPECT_EQ(step.state, State::failed);
        EXPECT_EQ(step.error.code, code);
        EXPECT_THAT(step.error.text, HasSubstr(text));
    }
    const auto step = through("http://p", "mqtt://broker")->hear("\x05\xFF");
    EXPECT_EQ(step.error.code, Errc::proxy_refused);
    EXPECT_THAT(step.error.text, HasSubstr("does not speak HTTP: it began with \"..\""));
}

const auto granted = "\x05\x00\x00\x01\x7F\x00\x00\x01\x04\x38"s; // bound to 127.0.0.1:1080

TEST(SocksProxy, IsGivenTheName) {
    const auto client = through("socks5://proxy", "mqtt://broker");
    EXPECT_EQ(client->begin(), "\x05\x01\x00"s);
    EXPECT_EQ(heard(*client, "\x05\x00"s).say, "\x05\x01\x00\x03\x06"s + "broker\x07\x5B");
    EXPECT_EQ(heard(*client, granted).state, State::done);
}

TEST(SocksProxy, IsGivenAddresses) {
    EXPECT_EQ(heard(*through("socks5://proxy", "mqtt://10.0.0.1:7"), "\x05\x00"s).say,
              "\x05\x01\x00\x01\x0A\x00\x00\x01\x00\x07"s);
    EXPECT_EQ(heard(*through("socks5://proxy", "mqtt://[::1]:7"), "\x05\x00"s).say,
              "\x05\x01\x00\x04"s + std::string(15, '\0') + "\x01\x00\x07"s);
}

TEST(SocksProxy, MayBeBoundToAnythingItself) {
    for (const auto& bound : {"\x03\x03"s + "abc", "\x04"s + std::string(16, 'x')}) {
        const auto client = through("socks5://proxy", "mqtt://broker");
        heard(*client, "\x05\x00"s);
        EXPECT_EQ(heard(*client, "\x05\x00\x00"s + bound + "\x00\x01"s).state, State::done);
    }
}

TEST(SocksProxy, MayWantToKnowWhoWeAre) {
    const auto client = through("socks5://ann:sesame@proxy", "mqtt://broker");
    EXPECT_EQ(client->begin(), "\x05\x02\x00\x02"s);
    EXPECT_EQ(heard(*client, "\x05\x02"s).say, "\x01\x03"s + "ann\x06sesame");
    EXPECT_EQ(heard(*client, "\x01\x00"s).say.substr(0, 4), "\x05\x01\x00\x03"s);
    EXPECT_EQ(heard(*client, granted).state, State::done);
}

TEST(SocksProxy, MayRefuse) {
    const auto expect = [](const char* proxy, std::vector<std::string> answers, std::error_code code,
                           const char* text) {
        const auto client = through(proxy, "mqtt://broker");
        Handshake::Step step;
        for (const auto& answer : answers) step = heard(*client, answer);
        EXPECT_EQ(step.state, State::failed) << text;
        EXPECT_EQ(step.error.code, code) << text;
        EXPECT_THAT(step.error.text, HasSubstr(text));
        EXPECT_THAT(step.error.text, Not(HasSubstr("sesame")));
    };
    const auto refused = make_error_code(Errc::proxy_refused);
    expect("socks5://p", {"\x05\xFF"}, refused, "wants to know who we are; allowed: socks5://user:password@");
    expect("socks5://ann:sesame@p", {"\x05\xFF"}, refused, "accepts neither");
    expect("socks5://p", {"\x05\x02"}, refused, "that was not offered");
    expect("socks5://ann:sesame@p", {"\x05\x02", "\x01\x01"}, refused, "does not accept user name and password");
    expect("socks5://p", {"H"}, refused, "does not speak SOCKS 5: it began with \"H\"");
    expect("socks5://p", {"\x05\x00"s, "\x05\x02"s}, refused, "does not allow the connection, for mqtt://broker:1883");
    expect("socks5://p", {"\x05\x00"s, "\x05\x05"s}, std::make_error_code(std::errc::connection_refused),
           "says: connection refused, for mqtt://broker:1883");
    expect("socks5://p", {"\x05\x00"s, "\x05\x04"s}, std::make_error_code(std::errc::host_unreachable),
           "host unreachable");
    expect("socks5://p", {"\x05\x00"s, "\x05\x63"s}, refused, "answered 99, which SOCKS 5 does not have");
}

} // namespace
} // namespace tortoise::io
