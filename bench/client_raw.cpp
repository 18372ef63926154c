// What can't be undercut: ready octets of QoS 0 publishes, made once, written to the counterpart over a blocking TCP or
// TLS socket as much at a time as a loop would write. The same arguments and answer as the other clients'; "pub" only, and
// "pipe", which is the same.
#include "work.hpp"
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::size_t write_size = 64 * 1024;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

class Wire {
public:
    explicit Wire(const std::string& url) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(static_cast<std::uint16_t>(std::atoi(url.substr(url.rfind(':') + 1).c_str())));
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) die("connect");
        if (!url.starts_with("mqtts")) return;
        tls_ = SSL_new(SSL_CTX_new(TLS_client_method()));
        SSL_set_fd(tls_, fd_);
        if (SSL_connect(tls_) != 1) die("TLS");
    }
    void write(std::string_view octets) {
        while (!octets.empty()) {
            const auto size = static_cast<int>(std::min(octets.size(), write_size));
            const long put = tls_ ? SSL_write(tls_, octets.data(), size) : ::write(fd_, octets.data(), octets.size());
            if (put <= 0) die("write");
            octets.remove_prefix(static_cast<std::size_t>(put));
        }
    }
    void await(char first) {
        char answer[64];
        const long got = tls_ ? SSL_read(tls_, answer, sizeof answer) : ::read(fd_, answer, sizeof answer);
        if (got <= 0 || answer[0] != first) die("the counterpart's answer");
    }

private:
    int fd_ = -1;
    SSL* tls_ = nullptr;
};

std::string publish(std::size_t size) {
    constexpr std::string_view topic = "bench/topic";
    std::string packet = "\x30";
    for (std::size_t left = 2 + topic.size() + 1 + size;;) {
        const auto low = static_cast<char>(left & 127);
        left >>= 7;
        packet += left != 0 ? static_cast<char>(low | '\x80') : low;
        if (left == 0) break;
    }
    packet += '\0';
    packet += static_cast<char>(topic.size());
    packet += topic;
    packet += '\0'; // no properties
    return packet.append(size, 'x');
}

} // namespace

int main(int argc, char** argv) {
    const auto work = bench::Work::from(argc, argv);
    if ((work.what != "pub" && work.what != "pipe") || work.qos != 0) return 1;
    Wire wire(work.url);
    using namespace std::string_view_literals;
    wire.write("\x10\x10\0\4MQTT\5\2\0\0\0\0\3raw"sv);
    wire.await('\x20');
    const auto one = publish(work.size);
    const std::size_t at_once = std::max<std::size_t>(write_size / one.size(), 1);
    std::string many;
    for (std::size_t i = 0; i < at_once; ++i) many += one;
    const bench::Measure measure;
    for (std::uint64_t left = work.count; left > 0;) {
        const auto now = std::min<std::uint64_t>(left, at_once);
        wire.write(std::string_view(many).substr(0, now * one.size()));
        left -= now;
    }
    wire.write("\xC0\0"sv); // PINGREQ: all of it arrived
    wire.await('\xD0');
    measure.report(work.count);
}
