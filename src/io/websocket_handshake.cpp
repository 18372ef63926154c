// From HTTP to WebSocket, both sides. RFC 6455, 4
#include "io/http_headers.hpp"
#include "io/printable.hpp"
#include "io/websocket.hpp"
#include <algorithm>
#include <array>
#include <boost/beast/http/rfc7230.hpp>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <utility>

namespace tortoise::io {

namespace {

namespace http = boost::beast::http;
using boost::beast::iequals;

constexpr std::string_view subprotocol = "mqtt"; // [MQTT-6.0.0-3] [MQTT-6.0.0-4]
constexpr std::string_view version = "13";
constexpr std::size_t key_octets = 16;
const auto again_later = std::make_error_code(std::errc::resource_unavailable_try_again);

std::string new_key() {
    std::array<unsigned char, key_octets> octets{};
    RAND_bytes(octets.data(), static_cast<int>(octets.size()));
    return base64(octets);
}

bool is_key(std::string_view key) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key.size() == 24 && key.substr(22) == "==" && key.find_first_not_of(digits) == 22;
}

/// The proof that a key was read. RFC 6455, 4.2.2
std::string accept_of(std::string_view key) {
    const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    return base64(std::span(digest.data(), size));
}

template <class Header> bool has_token(const Header& header, http::field field, std::string_view token) {
    for (auto [at, end] = header.equal_range(field); at != end; ++at)
        for (const auto& one : http::token_list(at->value()))
            if (iequals(one, boost::beast::string_view(token.data(), token.size()))) return true;
    return false;
}

class Request final : public Handshake {
public:
    Request(std::string host, std::string target, std::span<const HttpHeader> headers)
        : key_(new_key()), target_(std::move(target)) {
        const auto own_host = std::ranges::find_if(headers, [](const auto& h) { return iequals(h.name, "Host"); });
        if (own_host != headers.end()) host = own_host->value;
        text_ = "GET " + target_ + " HTTP/1.1\r\nHost: " + host +
                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + key_ +
                "\r\nSec-WebSocket-Version: " + std::string(version) +
                "\r\nSec-WebSocket-Protocol: " + std::string(subprotocol) + "\r\n";
        for (const auto& header : headers)
            if (!iequals(header.name, "Host")) text_ += header.name + ": " + header.value + "\r\n";
        text_ += "\r\n";
    }

    std::string begin() override { return std::move(text_); }

    Step hear(Octets octets) override {
        Step step;
        const auto* answer = reader_.read(octets, step);
        if (reader_.wrong()) {
            const auto began = printable(octets.substr(0, 16));
            return failed(make_error_code(Errc::not_mqtt),
                          "answered something that is not HTTP: it began with \"" + began + "\"");
        }
        if (!answer) return step;
        if (const auto wrong = refusal(*answer)) return *wrong;
        step.state = Step::done;
        return step;
    }

private:
    static Step failed(std::error_code code, std::string text) {
        return {.state = Step::failed, .error = {code, "the server " + std::move(text)}};
    }
    std::optional<Step> refusal(const http::response_header<>& answer) const {
        const auto status = answer.result_int();
        if (status != 101) {
            // A query may hold a secret.
            auto text = "answered " + std::to_string(status) + " " + printable(view(answer.reason())) + " to GET " +
                        target_.substr(0, target_.find('?')) + " for WebSocket";
            if (const auto to = answer[http::field::location]; !to.empty() && status / 100 == 3)
                text += "; it says to go to " + printable(view(to));
            // 408: timeout, 425: too early, 429: too many requests
            const bool passing = status >= 500 || status == 408 || status == 425 || status == 429;
            return failed(passing ? again_later : make_error_code(Errc::websocket_refused), text);
        }
        if (!has_token(answer, http::field::upgrade, "websocket") ||
            !has_token(answer, http::field::connection, "upgrade"))
            return failed(make_error_code(Errc::websocket_refused), "switched to something that is not WebSocket");
        if (view(answer[http::field::sec_websocket_accept]) != accept_of(key_))
            return failed(make_error_code(Errc::websocket_refused),
                          "did not read the request for WebSocket: Sec-WebSocket-Accept is wrong");
        const auto protocol = view(answer[http::field::sec_websocket_protocol]);
        if (protocol != subprotocol)
            return failed(make_error_code(Errc::websocket_refused),
                          "speaks WebSocket, but did not choose the subprotocol mqtt" +
                              (protocol.empty() ? "" : ": it chose " + printable(protocol)));
        if (answer.count(http::field::sec_websocket_extensions) > 0)
            return failed(make_error_code(Errc::websocket_refused), "chose WebSocket extensions that were not offered");
        return std::nullopt;
    }

    const std::string key_, target_;
    std::string text_;
    HeaderReader<false> reader_;
};

class Answer final : public Handshake {
public:
    std::string begin() override { return {}; }

    Step hear(Octets octets) override {
        Step step;
        const auto* request = reader_.read(octets, step);
        if (reader_.wrong()) return refused("400 Bad Request", {}, "a request that is not HTTP");
        if (!request) return step;
        const auto key = view((*request)[http::field::sec_websocket_key]);
        if (request->method() != http::verb::get || request->version() < 11 ||
            !has_token(*request, http::field::upgrade, "websocket") ||
            !has_token(*request, http::field::connection, "upgrade") || !is_key(key))
            return refused("400 Bad Request", {}, "a request that is not one for WebSocket");
        if (view((*request)[http::field::sec_websocket_version]) != version)
            return refused("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n", "another version of WebSocket");
        if (!has_token(*request, http::field::sec_websocket_protocol, subprotocol))
            return refused("400 Bad Request", {}, "a request without the subprotocol mqtt");
        step.state = Step::done;
        step.say = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: " +
                   accept_of(key) + "\r\nSec-WebSocket-Protocol: " + std::string(subprotocol) + "\r\n\r\n";
        return step;
    }

private:
    static Step refused(const std::string& status, const std::string& headers, std::string why) {
        const auto body = "This is MQTT over WebSocket; what came was " + why + ".\n";
        return {.state = Step::failed,
                .say = "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body,
                .error = make_error(Errc::not_mqtt, std::move(why))};
    }

    HeaderReader<true> reader_;
};

bool is_token(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~"; // RFC 9110, 5.6.2
    return !name.empty() && std::ranges::all_of(name, [&](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               marks.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

bool is_ours(std::string_view name) {
    constexpr std::string_view prefix = "Sec-WebSocket-";
    constexpr std::array<std::string_view, 4> names = {"Connection", "Upgrade", "Content-Length", "Transfer-Encoding"};
    const auto same = [&](std::string_view other) { return iequals(name, other); };
    return iequals(name.substr(0, prefix.size()), prefix) || std::ranges::any_of(names, same);
}

} // namespace

std::unique_ptr<Handshake> websocket_request(std::string host, std::string target,
                                             std::span<const HttpHeader> headers) {
    return std::make_unique<Request>(std::move(host), std::move(target), headers);
}

std::unique_ptr<Handshake> websocket_answer() { return std::make_unique<Answer>(); }

Result<Done> check_headers(std::span<const HttpHeader> headers) {
    const auto invalid = [](std::string text) {
        return make_error(Errc::invalid_option, "websocket.headers: " + text);
    };
    for (const auto& [name, value] : headers) {
        if (!is_token(name))
            return invalid("'" + printable(name) +
                           "' is no name of a header; allowed: letters, digits and !#$%&'*+-.^_`|~");
        if (is_ours(name))
            return invalid(name + " cannot be set; allowed: all but Connection, Upgrade, Content-Length, "
                                  "Transfer-Encoding and Sec-WebSocket-*");
        const auto bad = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; };
        if (std::ranges::any_of(value, bad))
            return invalid("the value of " + name + " has a control character; allowed: printable ones, spaces, tabs");
    }
    return Done();
}

} // namespace tortoise::io
