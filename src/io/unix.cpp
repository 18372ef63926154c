#include "io/unix.hpp"
#include "io/socket_stream.hpp"
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tortoise::io {

namespace {

using boost::asio::local::stream_protocol;
using UnixStream = SocketStream<stream_protocol>;

bool is_abstract(const std::string& path) { return path.starts_with('@'); }

stream_protocol::endpoint endpoint(const std::string& path) {
    auto name = path;
    if (is_abstract(name)) name[0] = '\0';
    return stream_protocol::endpoint(name);
}

void as_it_is(stream_protocol::socket&) {}

std::shared_ptr<Stream> welcome(stream_protocol::socket socket) {
    auto stream = std::make_shared<UnixStream>(std::move(socket), "a client on a Unix socket", &as_it_is);
    stream->prepare();
    return stream;
}

bool is_socket(const std::string& path) {
    struct stat found = {};
    return ::stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

/// Listens, and takes its file away in the end.
class UnixAcceptor final : public Acceptor {
public:
    UnixAcceptor(stream_protocol::acceptor acceptor, std::string path, Fn<void(std::shared_ptr<Stream>)> accepted)
        : acceptor_(std::move(acceptor), 0, &welcome, std::move(accepted)), path_(std::move(path)) {}
    ~UnixAcceptor() override {
        if (!is_abstract(path_)) ::unlink(path_.c_str());
    }
    UnixAcceptor(const UnixAcceptor&) = delete;
    UnixAcceptor& operator=(const UnixAcceptor&) = delete;
    std::uint16_t port() const noexcept override { return 0; }

private:
    SocketAcceptor<stream_protocol> acceptor_;
    const std::string path_;
};

std::shared_ptr<Stream> within_this_process(stream_protocol::socket socket) {
    auto stream = std::make_shared<UnixStream>(std::move(socket), "this process", &as_it_is);
    stream->prepare();
    return stream;
}

} // namespace

const std::size_t longest_unix_path = sizeof(sockaddr_un::sun_path) - 1;

std::shared_ptr<Stream> connect_unix(Loop& loop, const std::string& path, Stream::Events& events) {
    auto stream = std::make_shared<UnixStream>(stream_protocol::socket(AsioLoop::of(loop).executor()), path, &as_it_is);
    stream->tell(&events);
    stream->connect(endpoint(path));
    return stream;
}

Result<std::shared_ptr<Acceptor>> listen_unix(Loop& loop, const std::string& path,
                                              Fn<void(std::shared_ptr<Stream>)> accepted) {
    if (path.empty() || path.size() > longest_unix_path) {
        return make_error(Errc::invalid_option, "a Unix socket's path has " + std::to_string(path.size()) +
                                                    " bytes; allowed: 1 to " + std::to_string(longest_unix_path));
    }
    const auto executor = AsioLoop::of(loop).executor();
    stream_protocol::acceptor acceptor(executor);
    auto error = listen<stream_protocol>(acceptor, endpoint(path), false);
    if (error == boost::asio::error::address_in_use && is_socket(path)) {
        SocketError nobody;
        stream_protocol::socket(executor).connect(endpoint(path), nobody);
        if (nobody == boost::asio::error::connection_refused && ::unlink(path.c_str()) == 0) {
            acceptor = stream_protocol::acceptor(executor);
            error = listen<stream_protocol>(acceptor, endpoint(path), false);
        }
    }
    if (error) {
        return Error{std::error_code(error.value(), std::system_category()),
                     "cannot listen on " + path + ": " + words(error.value())};
    }
    return std::shared_ptr<Acceptor>(std::make_shared<UnixAcceptor>(std::move(acceptor), path, std::move(accepted)));
}

Result<std::pair<std::shared_ptr<Stream>, std::shared_ptr<Stream>>> connected_pair(Loop& loop) {
    const auto executor = AsioLoop::of(loop).executor();
    stream_protocol::socket one(executor), other(executor);
    SocketError error;
    boost::asio::local::connect_pair(one, other, error);
    if (error) return Error{std::error_code(error.value(), std::system_category()), words(error.value())};
    return std::pair(within_this_process(std::move(one)), within_this_process(std::move(other)));
}

} // namespace tortoise::io
