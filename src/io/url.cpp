#include "io/url.hpp"
#include "io/unix.hpp"
#include <algorithm>
#include <charconv>

namespace tortoise::io {

namespace {

constexpr std::string_view allowed =
    "; allowed: mqtt://[user[:password]@]host[:port], mqtts://…, ws://…[/path[?query]], wss://…, unix:///path";
constexpr std::string_view allowed_proxy = "; allowed: http://[user[:password]@]host[:port], socks5://…";
constexpr std::size_t longest_host = 255, longest_proxy_text = 255; // what SOCKS has room for; names have less
constexpr std::string_view usual_target = "/mqtt";

struct Scheme {
    std::string_view name;
    std::uint16_t port;
};
constexpr Scheme schemes[] = {{"mqtt", 1883}, {"mqtts", 8883}, {"ws", 80}, {"wss", 443}};
constexpr Scheme proxy_schemes[] = {{"http", 80}, {"socks5", 1080}, {"socks5h", 1080}}; // to us the last two are one

template <std::size_t n> const Scheme* scheme_of(const Scheme (&known)[n], std::string_view name) {
    const auto* found = std::ranges::find(known, name, &Scheme::name);
    return found == std::end(known) ? nullptr : found;
}

/// The URL as it may be shown: what stands before the @ can be a password, and what stands behind a ? as well.
std::string shown(std::string_view url) {
    const auto start = url.find("://");
    const auto at = url.rfind('@'), query = url.find('?');
    std::string out(url.substr(0, query));
    if (at != std::string_view::npos) {
        out = start < at ? url.substr(0, start + 3) : "";
        out += "…";
        if (at < query) out += url.substr(at, query - at);
    }
    return query == std::string_view::npos ? out : out + "?…";
}

Error wrong(std::string_view url, std::string what) {
    return make_error(Errc::invalid_url, "'" + shown(url) + "' " + std::move(what) + std::string(allowed));
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) return std::nullopt;
        out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
        i += 2;
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

/// Sets user and password; what is wrong with them, if anything.
std::optional<std::string> take_user_info(std::string_view info, Url& url) {
    const auto colon = info.find(':');
    url.user = percent_decoded(info.substr(0, colon));
    if (!url.user) return "has a user name with a '%' that is not followed by two hexadecimal digits";
    if (colon == std::string_view::npos) return std::nullopt;
    url.password = percent_decoded(info.substr(colon + 1));
    if (!url.password) return "has a password with a '%' that is not followed by two hexadecimal digits";
    return std::nullopt;
}

Result<Url> unix_url(std::string_view text, std::string_view path) {
    Url url;
    url.scheme = "unix";
    url.given = text;
    auto decoded = percent_decoded(path);
    if (!decoded) return wrong(text, "has a path with a '%' that is not followed by two hexadecimal digits");
    if (!decoded->starts_with('/') && !decoded->starts_with('@')) {
        return wrong(text, "has no path (three slashes: unix:///run/mqtt.sock, or unix://@name for an abstract one)");
    }
    if (decoded->size() < 2 || decoded->find('\0') != std::string::npos) return wrong(text, "has no path");
    if (decoded->size() > longest_unix_path) {
        return make_error(Errc::invalid_url,
                          "'" + std::string(text) + "' has a path of " + std::to_string(decoded->size()) +
                              " bytes; allowed on Unix sockets: at most " + std::to_string(longest_unix_path));
    }
    url.path = std::move(*decoded);
    return url;
}

/// Sets host and port; what is wrong with them, if anything.
std::optional<std::string> take_host_and_port(std::string_view rest, Url& url) {
    std::string_view host;
    std::optional<std::string_view> port;
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return "has a '[' without a ']'";
        host = rest.substr(1, end - 1);
        if (host.find(':') == std::string_view::npos) return "has no IPv6 address between '[' and ']'";
        rest.remove_prefix(end + 1);
        if (!rest.empty() && rest[0] != ':') return "has something behind the ']' that is not a port";
        if (!rest.empty()) port = rest.substr(1);
    } else {
        const auto colon = rest.find(':');
        host = rest.substr(0, colon);
        if (colon != std::string_view::npos) port = rest.substr(colon + 1);
        if (port && port->find(':') != std::string_view::npos) {
            return "has more than one ':' (an IPv6 address stands in brackets: mqtt://[::1]:1883)";
        }
    }
    auto decoded = percent_decoded(host);
    if (!decoded) return "has a host with a '%' that is not followed by two hexadecimal digits";
    if (decoded->empty()) return "has no host";
    if (decoded->size() > longest_host) return "has a host of more than 255 bytes";
    if (std::ranges::any_of(*decoded, [](unsigned char c) { return c <= ' ' || c == 0x7F; })) {
        return "has a space or a control character in its host";
    }
    url.host = std::move(*decoded);
    if (!port) return std::nullopt;
    const auto [end, error] = std::from_chars(port->data(), port->data() + port->size(), url.port);
    if (error != std::errc() || end != port->data() + port->size() || url.port == 0) {
        return "has port '" + std::string(*port) + "', which is not a number from 1 to 65535";
    }
    return std::nullopt;
}

/// User, password, host and port; what is wrong with them, if anything.
std::optional<std::string> take_authority(std::string_view authority, Url& url) {
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        if (auto error = take_user_info(authority.substr(0, at), url)) return error;
        authority.remove_prefix(at + 1);
    }
    return take_host_and_port(authority, url);
}

/// Sets the path, of WebSocket; what is wrong with it, if anything. It goes into an HTTP request as it is.
std::optional<std::string> take_target(std::string_view target, Url& url) {
    if (target.find('#') != std::string_view::npos) return "has a '#'; WebSocket has no fragments";
    if (std::ranges::any_of(target, [](unsigned char c) { return c <= ' ' || c >= 0x7F; }))
        return "has a path with a space, a control character or a letter that is not ASCII (write those as %XX)";
    if (target.empty())
        url.path = usual_target;
    else
        url.path = (target[0] == '?' ? "/" : "") + std::string(target);
    return std::nullopt;
}

} // namespace

std::string Url::authority() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::http_host() const {
    auto text = authority();
    const auto* known = scheme_of(schemes, scheme);
    if (known && port == known->port) text.erase(text.rfind(':'));
    return text;
}

std::string Url::to_string() const {
    if (is_unix()) return "unix://" + path;
    if (port == 0) return host; // a custom transport's
    return scheme + "://" + authority() + path.substr(0, path.find('?'));
}

Result<Url> parse_url(std::string_view text) {
    Url url;
    url.given = text;
    const auto colon = text.find("://");
    if (text.empty()) return make_error(Errc::invalid_url, "the URL is empty" + std::string(allowed));
    if (colon == std::string_view::npos) return wrong(text, "has no scheme");
    url.scheme = lower(text.substr(0, colon));
    if (url.scheme == "unix") return unix_url(text, text.substr(colon + 3));
    const auto* scheme = scheme_of(schemes, url.scheme);
    if (!scheme) {
        return make_error(Errc::invalid_url,
                          "scheme '" + url.scheme + "' is not supported; allowed: mqtt, mqtts, ws, wss, unix");
    }
    url.port = scheme->port;
    auto rest = text.substr(colon + 3);
    if (url.websocket()) {
        const auto end = std::min(rest.find_first_of("/?#"), rest.size());
        if (auto error = take_target(rest.substr(end), url)) return wrong(text, std::move(*error));
        rest = rest.substr(0, end);
    } else {
        if (rest.ends_with('/')) rest.remove_suffix(1);
        const auto at = rest.rfind('@');
        if (rest.find_first_of("/?#", at == std::string_view::npos ? 0 : at) != std::string_view::npos)
            return wrong(text, "has something behind host and port");
    }
    if (auto error = take_authority(rest, url)) return wrong(text, std::move(*error));
    return url;
}

Result<Url> parse_proxy_url(std::string_view text) {
    const auto invalid = [&](std::string what) {
        return make_error(Errc::invalid_option,
                          "proxy '" + shown(text) + "' " + std::move(what) + std::string(allowed_proxy));
    };
    Url url;
    const auto colon = text.find("://");
    if (colon == std::string_view::npos) return invalid("has no scheme");
    url.scheme = lower(text.substr(0, colon));
    const auto* scheme = scheme_of(proxy_schemes, url.scheme);
    if (!scheme) return invalid("has a scheme that is not supported");
    url.port = scheme->port;
    auto rest = text.substr(colon + 3);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.find_first_of("/?#") != std::string_view::npos) return invalid("has something behind host and port");
    if (auto error = take_authority(rest, url)) return invalid(std::move(*error));
    const auto too_long = [](const auto& part) { return part && part->size() > longest_proxy_text; };
    if (too_long(url.user) || too_long(url.password)) return invalid("has a user or a password of more than 255 bytes");
    return url;
}

Result<Url> referred(std::string_view reference, const Url& from) {
    const auto refuse = [&](std::string_view why) {
        return make_error(Errc::invalid_url,
                          "the Server Reference '" + shown(reference) + "' is not followed: " + std::string(why));
    };
    if (from.scheme != "mqtt" && from.scheme != "mqtts") return refuse("the connection is not one over TCP");
    const auto first = reference.substr(0, reference.find(' '));
    const bool with_scheme = first.find("://") != std::string_view::npos;
    auto url = parse_url(with_scheme ? std::string(first) : from.scheme + "://" + std::string(first));
    if (!url) return refuse(url.error().text);
    if (url->scheme != "mqtt" && url->scheme != "mqtts") return refuse("it is not one over TCP");
    if (from.secure() && !url->secure()) return refuse("it leads out of TLS");
    url->user.reset();
    url->password.reset();
    return url;
}

Url custom_url(std::string_view text) {
    if (auto known = parse_url(text)) return std::move(*known);
    Url url;
    const auto colon = text.find("://");
    url.scheme = colon == std::string_view::npos ? "" : lower(text.substr(0, colon));
    url.host = shown(text);
    url.port = 0;
    url.given = text;
    return url;
}

} // namespace tortoise::io
