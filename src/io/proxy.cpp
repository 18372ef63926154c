#include "io/proxy.hpp"
#include "io/http_headers.hpp"
#include "io/printable.hpp"
#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <utility>

#include <arpa/inet.h>

namespace tortoise::io {

namespace {

using Step = Handshake::Step;

Step refused(std::error_code code, std::string text) {
    return {.state = Step::failed, .error = {code, "the proxy " + std::move(text)}};
}
Step refused(Errc code, std::string text) { return refused(make_error_code(code), std::move(text)); }

// ---- HTTP: RFC 9110, 9.3.6 -----------------------------------------------------------------------------------------

class HttpConnect final : public Handshake {
public:
    HttpConnect(const Url& proxy, const std::string& server) : server_(server) {
        text_ = "CONNECT " + server + " HTTP/1.1\r\nHost: " + server + "\r\n";
        if (proxy.user) { // RFC 7617
            const auto pair = *proxy.user + ":" + proxy.password.value_or("");
            text_ += "Proxy-Authorization: Basic " +
                     base64(std::span(reinterpret_cast<const unsigned char*>(pair.data()), pair.size())) + "\r\n";
        }
        text_ += "\r\n";
    }

    std::string begin() override { return std::move(text_); }

    Step hear(Octets octets) override {
        Step step;
        const auto* answer = reader_.read(octets, step);
        if (reader_.wrong()) {
            const auto began = printable(octets.substr(0, 16));
            return refused(Errc::proxy_refused, "does not speak HTTP: it began with \"" + began + "\"");
        }
        if (!answer) return step;
        const auto status = answer->result_int();
        step.state = Step::done;
        if (status / 100 == 2) return step;
        // Beyond 500, it is the way to the server that does not work.
        return refused(status >= 500 ? std::make_error_code(std::errc::resource_unavailable_try_again)
                                     : make_error_code(Errc::proxy_refused),
                       "answered " + std::to_string(status) + " " + printable(view(answer->reason())) + " to CONNECT " +
                           server_);
    }

private:
    const std::string server_;
    std::string text_;
    HeaderReader<false> reader_;
};

// ---- SOCKS 5: RFC 1928, RFC 1929 -----------------------------------------------------------------------------------

constexpr char socks = 5, no_authentication = 0, by_password = 2, not_acceptable = -1;
constexpr char connect = 1, ipv4 = 1, name = 3, ipv6 = 4;

struct SocksReply {
    int code;
    const char* text;
    std::error_code error;
};

const SocksReply socks_replies[] = {
    {1, "had a failure", std::make_error_code(std::errc::resource_unavailable_try_again)},
    {2, "does not allow the connection", make_error_code(Errc::proxy_refused)},
    {3, "says: network unreachable", std::make_error_code(std::errc::network_unreachable)},
    {4, "says: host unreachable", std::make_error_code(std::errc::host_unreachable)},
    {5, "says: connection refused", std::make_error_code(std::errc::connection_refused)},
    {6, "says: TTL expired", std::make_error_code(std::errc::timed_out)},
    {7, "does not support CONNECT", make_error_code(Errc::proxy_refused)},
    {8, "does not support this kind of address", make_error_code(Errc::proxy_refused)},
};

class Socks5 final : public Handshake {
public:
    Socks5(const Url& proxy, const Url& server) : proxy_(proxy), server_(server) {}

    std::string begin() override {
        return proxy_.user ? std::string{socks, 2, no_authentication, by_password}
                           : std::string{socks, 1, no_authentication};
    }

    Step hear(Octets octets) override {
        if (octets[0] != (asks_ == Asks::authentication ? 1 : socks)) {
            const auto began = printable(octets.substr(0, 16));
            return refused(Errc::proxy_refused, "does not speak SOCKS 5: it began with \"" + began + "\"");
        }
        if (octets.size() < 2) return {};
        switch (asks_) {
        case Asks::method: return method(octets[1]);
        case Asks::authentication:
            if (octets[1] != 0) return refused(Errc::proxy_refused, "does not accept user name and password");
            return request();
        case Asks::connection: return reply(octets);
        }
        return {};
    }

private:
    enum class Asks : std::uint8_t { method, authentication, connection };

    Step method(char chosen) {
        if (chosen == no_authentication) return request();
        if (chosen == by_password && proxy_.user) {
            asks_ = Asks::authentication;
            std::string say = "\x01";
            append_text(say, *proxy_.user);
            append_text(say, proxy_.password.value_or(""));
            return {.used = 2, .say = std::move(say)};
        }
        if (chosen == not_acceptable)
            return refused(Errc::proxy_refused, proxy_.user
                                                    ? "accepts neither no authentication nor user name and password"
                                                    : "wants to know who we are; allowed: socks5://user:password@…");
        return refused(Errc::proxy_refused, "chose an authentication that was not offered");
    }

    Step request() {
        asks_ = Asks::connection;
        std::string say{socks, connect, 0};
        append_address(say);
        say += static_cast<char>(server_.port >> 8);
        say += static_cast<char>(server_.port & 0xFF);
        return {.used = 2, .say = std::move(say)};
    }

    void append_address(std::string& to) const {
        char octets[16];
        const auto& host = server_.host;
        if (::inet_pton(AF_INET, host.c_str(), octets) == 1) {
            (to += ipv4).append(octets, 4);
        } else if (::inet_pton(AF_INET6, host.c_str(), octets) == 1) {
            (to += ipv6).append(octets, 16);
        } else {
            to += name;
            append_text(to, host);
        }
    }

    Step reply(Octets octets) const {
        const int code = static_cast<unsigned char>(octets[1]);
        if (code != 0) {
            const auto* known = std::ranges::find(socks_replies, code, &SocksReply::code);
            if (known == std::end(socks_replies))
                return refused(Errc::proxy_refused,
                               "answered " + std::to_string(code) + ", which SOCKS 5 does not have");
            return refused(known->error, known->text + std::string(", for ") + server_.to_string());
        }
        if (octets.size() < 5) return {};
        const std::size_t address = octets[3] == ipv4 ? 4
                                    : octets[3] == ipv6
                                        ? 16
                                        : 1 + static_cast<std::size_t>(static_cast<unsigned char>(octets[4]));
        const std::size_t whole = 4 + address + 2; // of no use to us, but it has to be read
        if (octets.size() < whole) return {};
        return {.state = Step::done, .used = whole};
    }

    static void append_text(std::string& to, const std::string& text) {
        (to += static_cast<char>(text.size())) += text;
    }

    const Url proxy_, server_;
    Asks asks_ = Asks::method;
};

} // namespace

std::unique_ptr<Handshake> proxy_handshake(const Url& proxy, const Url& server) {
    if (proxy.scheme.starts_with("socks5")) return std::make_unique<Socks5>(proxy, server);
    return std::make_unique<HttpConnect>(proxy, server.authority());
}

} // namespace tortoise::io
