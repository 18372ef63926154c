#pragma once
/// The header of an HTTP message, as a handshake reads it. For .cpp files: Beast is large.

#include "io/handshake.hpp"
#include <array>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <openssl/evp.h>
#include <span>
#include <string>
#include <string_view>

namespace tortoise::io {

inline std::string base64(std::span<const unsigned char> octets) {
    std::string out(4 * ((octets.size() + 2) / 3) + 1, '\0'); // and the zero that OpenSSL puts behind
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets.data(), static_cast<int>(octets.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

inline std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

template <bool is_request> class HeaderReader {
public:
    using Parser = boost::beast::http::parser<is_request, boost::beast::http::empty_body>;
    using Header = typename Parser::value_type;

    HeaderReader() {
        parser_.skip(true); // whatever the header says, there is no body for us
        parser_.header_limit(Handshake::longest);
    }
    /// Null: not whole yet, or wrong.
    const Header* read(Octets octets, Handshake::Step& step) {
        boost::system::error_code error;
        if (!begun_ && !begins_well(octets)) return wrong_ = true, nullptr;
        step.used = parser_.put(boost::asio::buffer(octets.data(), octets.size()), error);
        begun_ = begun_ || step.used > 0;
        wrong_ = error && error != boost::beast::http::error::need_more;
        return !wrong_ && parser_.is_header_done() ? &parser_.get() : nullptr;
    }
    bool wrong() const noexcept { return wrong_; }

private:
    /// What is not HTTP need not have lines, and would be waited for.
    static bool begins_well(Octets octets) {
        constexpr std::string_view response = "HTTP/";
        if (!is_request) return octets.substr(0, response.size()) == response.substr(0, octets.size());
        return octets[0] >= 'A' && octets[0] <= 'Z';
    }

    Parser parser_;
    bool begun_ = false, wrong_ = false;
};

} // namespace tortoise::io
