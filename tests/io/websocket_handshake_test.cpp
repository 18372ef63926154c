// From HTTP to WebSocket: what both sides say, and what they do not accept.
#include "io/websocket.hpp"
#include <gmock/gmock.h>

namespace tortoise::io {
namespace {

using State = Handshake::Step::State;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const HttpHeader headers[] = {{"Authorization", "Bearer sesame"}, {"Cookie", "a=b"}};

/// The server's answer to that request.
std::string answer_to(const std::string& request) {
    const auto server = websocket_answer();
    EXPECT_EQ(server->begin(), "");
    const auto step = server->hear(request);
    EXPECT_EQ(step.state, State::done) << step.error.describe();
    EXPECT_EQ(step.used, request.size());
    return step.say;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
}

/// [MQTT-6.0.0-3]
TEST(WebSocketHandshake, AsksAsRfc6455AndMqttSay) {
    const auto request = websocket_request("example.org:8080", "/mqtt?a=b", headers)->begin();
    EXPECT_THAT(request, StartsWith("GET /mqtt?a=b HTTP/1.1\r\nHost: example.org:8080\r\n"));
    for (const auto* line :
         {"\r\nUpgrade: websocket\r\n", "\r\nConnection: Upgrade\r\n", "\r\nSec-WebSocket-Version: 13\r\n",
          "\r\nSec-WebSocket-Protocol: mqtt\r\n", "\r\nAuthorization: Bearer sesame\r\n", "\r\nCookie: a=b\r\n"})
        EXPECT_THAT(request, HasSubstr(line));
    EXPECT_THAT(request, EndsWith("\r\n\r\n"));
    EXPECT_NE(websocket_request("h", "/", {})->begin(), websocket_request("h", "/", {})->begin()); // its key
}

TEST(WebSocketHandshake, TakesAHostOfTheUsers) {
    const HttpHeader host[] = {{"hOST", "other"}};
    const auto request = websocket_request("h", "/", host)->begin();
    EXPECT_THAT(request, HasSubstr("\r\nHost: other\r\n"));
    EXPECT_THAT(request, Not(HasSubstr("hOST")));
}

/// [MQTT-6.0.0-4]
TEST(WebSocketHandshake, SucceedsBetweenBothSidesHoweverItComesApart) {
    for (const std::size_t at_a_time : {1u, 7u, 100'000u}) {
        const auto client = websocket_request("h", "/mqtt", {});
        const auto server = websocket_answer();
        const auto pass = [&](std::string text, Handshake& to) {
            std::string heard;
            Handshake::Step step;
            for (; !text.empty(); text.erase(0, at_a_time)) {
                heard += text.substr(0, at_a_time);
                step = to.hear(heard);
                heard.erase(0, step.used);
            }
            EXPECT_EQ(heard, "");
            EXPECT_EQ(step.state, State::done) << step.error.describe();
            return step.say;
        };
        const auto answer = pass(client->begin(), *server);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
        EXPECT_THAT(answer, HasSubstr("\r\nSec-WebSocket-Protocol: mqtt\r\n"));
        EXPECT_EQ(pass(answer, *client), "");
    }
}

/// RFC 6455, 1.3
TEST(WebSocketHandshake, ProvesThatItReadTheKey) {
    const auto answer = answer_to("GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
                                  "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: chat, mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

TEST(WebSocketHandshake, LeavesWhatComesBehindIt) {
    const auto client = websocket_request("h", "/", {});
    const auto answer = answer_to(client->begin());
    const auto step = client->hear(answer + "frames");
    EXPECT_EQ(step.state, State::done);
    EXPECT_EQ(step.used, answer.size());
}

TEST(WebSocketHandshake, SaysWhyAServerDidNotGoOn) {
    struct Case {
        std::string answer;
        std::error_code code;
        const char* text;
    };
    const auto refused = make_error_code(Errc::websocket_refused);
    const auto later = std::make_error_code(std::errc::resource_unavailable_try_again);
    const Case cases[] = {
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!", refused,
         "the server answered 401 Unauthorized to GET /path for WebSocket"},
        {"HTTP/1.1 200 OK\r\n\r\nhello", refused, "answered 200 OK"},
        {"HTTP/1.1 301 Moved\r\nLocation: https://other/\r\n\r\n", refused, "it says to go to https://other/"},
        {"HTTP/1.1 429 Too Many Requests\r\n\r\n", later, "answered 429"},
        {"HTTP/1.1 503 Service Unavailable\r\n\r\n", later, "answered 503 Service Unavailable"},
        {std::string("\x20\x02\x00\x00", 4), make_error_code(Errc::not_mqtt), "not HTTP: it began with \" ...\""},
        {"HTTP/1.1 101 x\r\n" + std::string(20'000, 'x'), make_error_code(Errc::not_mqtt), "not HTTP"},
    };
    for (const auto& c : cases) {
        const auto step = websocket_request("h", "/path?secret=sesame", {})->hear(c.answer);
        EXPECT_EQ(step.state, State::failed) << c.text;
        EXPECT_EQ(step.error.code, c.code) << c.text;
        EXPECT_THAT(step.error.text, HasSubstr(c.text));
        EXPECT_THAT(step.error.text, Not(HasSubstr("sesame")));
    }
}

TEST(WebSocketHandshake, BelievesNoServerThatDidNotReadTheRequest) {
    const auto expect = [](const std::string& what, const std::string& by, const char* why) {
        const auto client = websocket_request("h", "/", {});
        const auto step = client->hear(replaced(answer_to(client->begin()), what, by));
        EXPECT_EQ(step.state, State::failed) << why;
        EXPECT_EQ(step.error.code, Errc::websocket_refused) << why;
        EXPECT_THAT(step.error.text, HasSubstr(why));
    };
    expect("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x", "Sec-WebSocket-Accept is wrong");
    expect("Upgrade: websocket", "Upgrade: h2c", "not WebSocket");
    expect("Connection: Upgrade", "Connection: close", "not WebSocket");
    expect("Sec-WebSocket-Protocol: mqtt", "X: y", "did not choose the subprotocol mqtt");
    expect("Sec-WebSocket-Protocol: mqtt", "Sec-WebSocket-Protocol: soap", "it chose soap");
    expect("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extensions that were not offered");
}

TEST(WebSocketHandshake, RefusesInWordsOfHttp) {
    const auto good = websocket_request("h", "/", {})->begin();
    const auto expect = [](const std::string& request, const char* status, const char* why) {
        const auto step = websocket_answer()->hear(request);
        EXPECT_EQ(step.state, State::failed) << why;
        EXPECT_THAT(step.say, StartsWith(std::string("HTTP/1.1 ") + status));
        EXPECT_THAT(step.say, HasSubstr(why));
    };
    expect("\x10\x0C and so on, as MQTT has it\r\n\r\n", "400", "not HTTP");
    expect("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400", "not one for WebSocket");
    expect(replaced(good, "GET", "PUT"), "400", "not one for WebSocket");
    expect(replaced(good, "Sec-WebSocket-Key: ", "Sec-WebSocket-Key: short"), "400", "not one for WebSocket");
    expect(replaced(good, "Version: 13", "Version: 8"), "426", "another version");
    expect(replaced(good, "Protocol: mqtt", "Protocol: chat"), "400", "without the subprotocol mqtt");
}

TEST(WebSocketHeaders, MayNotBreakTheRequest) {
    EXPECT_TRUE(check_headers(headers));
    const auto wrong = [](HttpHeader header, const char* why) {
        const HttpHeader one[] = {std::move(header)};
        const auto checked = check_headers(one);
        ASSERT_FALSE(checked) << why;
        EXPECT_EQ(checked.error().code, Errc::invalid_option);
        EXPECT_THAT(checked.error().text, HasSubstr(why));
        EXPECT_THAT(checked.error().text, HasSubstr("; allowed: "));
        EXPECT_THAT(checked.error().text, Not(HasSubstr("sesame")));
    };
    wrong({"", "x"}, "'' is no name of a header");
    wrong({"a b", "x"}, "'a b' is no name");
    wrong({"a:", "x"}, "'a:' is no name");
    wrong({"X", "sesame\r\nHost: evil"}, "the value of X has a control character");
    wrong({"Sec-WebSocket-Key", "x"}, "Sec-WebSocket-Key cannot be set");
    wrong({"upgrade", "x"}, "upgrade cannot be set");
    wrong({"Content-Length", "1"}, "Content-Length cannot be set");
}

} // namespace
} // namespace tortoise::io
