#include "io/tcp.hpp"
#include "io/socket_stream.hpp"
#include <boost/asio/ip/tcp.hpp>
#include <cstring>

namespace tortoise::io {

namespace {

using boost::asio::ip::tcp;

tcp::endpoint endpoint(const Address& address) {
    tcp::endpoint result;
    result.resize(address.size());
    std::memcpy(result.data(), address.data(), address.size());
    return result;
}

Address address_of(const tcp::endpoint& from) { return {from.data(), static_cast<socklen_t>(from.size())}; }

void send_at_once(tcp::socket& socket) {
    SocketError ignored;
    socket.set_option(tcp::no_delay(true), ignored);
}

std::shared_ptr<Stream> welcome(tcp::socket socket) {
    SocketError gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone) return nullptr;
    auto stream = std::make_shared<SocketStream<tcp>>(std::move(socket), address_of(peer).to_string(), &send_at_once);
    stream->prepare();
    return stream;
}

} // namespace

std::shared_ptr<Stream> connect_tcp(Loop& loop, const Address& to, Stream::Events& events) {
    auto stream =
        std::make_shared<SocketStream<tcp>>(tcp::socket(AsioLoop::of(loop).executor()), to.to_string(), &send_at_once);
    stream->tell(&events);
    stream->connect(endpoint(to));
    return stream;
}

Result<std::shared_ptr<Acceptor>> listen_tcp(Loop& loop, const Address& at,
                                             Fn<void(std::shared_ptr<Stream>)> accepted) {
    tcp::acceptor acceptor(AsioLoop::of(loop).executor());
    if (const auto error = listen<tcp>(acceptor, endpoint(at), true)) {
        return Error{std::error_code(error.value(), std::system_category()),
                     "cannot listen on " + at.to_string() + ": " + words(error.value())};
    }
    SocketError ignored;
    const auto port = acceptor.local_endpoint(ignored).port();
    return std::shared_ptr<Acceptor>(
        std::make_shared<SocketAcceptor<tcp>>(std::move(acceptor), port, &welcome, std::move(accepted)));
}

} // namespace tortoise::io
