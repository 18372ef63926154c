// The other end of every benchmark: answers the handshakes of MQTT 3.1.1 and 5 on all of its connections, from one
// thread, and does nothing else. It shares no code with the library, and costs as little as it can.
//
//   counterpart [--tls CERTIFICATE KEY]     prints "tcp PORT", "unix PATH" and "tls PORT", and serves until its input
//   ends
//
// Publishes are acknowledged and dropped; those to `echo` come back, at QoS 0. Who subscribes to `blast/QOS/COUNT/SIZE`
// gets COUNT publishes of SIZE octets, at most 1,000 of them unacknowledged.
#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <unordered_map>

namespace {

constexpr std::size_t chunk = 256 * 1024;
constexpr unsigned blast_window = 1000;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

struct Blast {
    unsigned qos = 0;
    std::uint64_t left = 0;
    std::string packet; // as it is sent, but for the identifier
    std::size_t id_at = 0;
    std::uint16_t id = 0;
    unsigned unacknowledged = 0;
};

struct Client {
    explicit Client(int socket) : fd(socket) {}
    int fd;
    SSL* tls = nullptr;
    bool v5 = false, wants_write = false;
    std::string in;  // an unfinished packet
    std::string out; // not yet written
    std::size_t written = 0;
    Blast blast = {};

    ~Client() {
        if (tls) SSL_free(tls);
        ::close(fd);
    }
};

/// Octets moved; 0: would block; -1: it is over.
long read_some(Client& c, char* to, std::size_t room) {
    if (c.tls) {
        const int n = SSL_read(c.tls, to, static_cast<int>(room));
        if (n > 0) return n;
        const int why = SSL_get_error(c.tls, n);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    const auto n = ::recv(c.fd, to, room, 0);
    return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}
long write_some(Client& c, const char* from, std::size_t size) {
    if (c.tls) {
        const int n = SSL_write(c.tls, from, static_cast<int>(std::min<std::size_t>(size, chunk)));
        if (n > 0) return n;
        const int why = SSL_get_error(c.tls, n);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    const auto n = ::send(c.fd, from, size, MSG_NOSIGNAL);
    return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

std::uint16_t number(const char* at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(at[0]) << 8 | static_cast<unsigned char>(at[1]));
}
void acknowledge(std::string& out, int type, const char* id) {
    const char packet[] = {static_cast<char>(type), 2, id[0], id[1]};
    out.append(packet, sizeof packet);
}

std::string publish(unsigned qos, std::string_view topic, std::size_t size, bool v5) {
    std::string body;
    body += static_cast<char>(topic.size() >> 8);
    body += static_cast<char>(topic.size());
    body += topic;
    if (qos > 0) body.append(2, '\0');
    if (v5) body += '\0';
    body.append(size, 'x');
    std::string packet(1, static_cast<char>(0x30 | qos << 1));
    auto rest = body.size();
    do {
        packet += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
        rest >>= 7;
    } while (rest > 0);
    return packet + body;
}

void begin_blast(Client& c, const std::string& topic) {
    unsigned qos = 0;
    unsigned long long count = 0, size = 0;
    if (std::sscanf(topic.c_str(), "blast/%u/%llu/%llu", &qos, &count, &size) != 3 || qos > 2) return;
    c.blast = {.qos = qos, .left = count, .packet = publish(qos, topic, size, c.v5)};
    c.blast.id_at = c.blast.packet.size() - size - (c.v5 ? 1 : 0) - 2;
}

void on_publish(Client& c, unsigned flags, const char* body, std::size_t size) {
    const auto topic_size = number(body);
    const auto qos = flags >> 1 & 3;
    if (qos == 1) acknowledge(c.out, 0x40, body + 2 + topic_size);
    if (qos == 2) acknowledge(c.out, 0x50, body + 2 + topic_size);
    const std::string_view topic(body + 2, topic_size);
    if (topic != "echo") return;
    auto at = body + 2 + topic_size + (qos > 0 ? 2 : 0);
    if (c.v5) at += 1 + *at; // properties of fewer than 128 octets
    const auto payload = static_cast<std::size_t>(body + size - at);
    auto packet = publish(0, topic, payload, c.v5);
    std::memcpy(packet.data() + packet.size() - payload, at, payload);
    c.out += packet;
}

void on_subscribe(Client& c, const char* body, std::size_t size) {
    const char id[] = {body[0], body[1]};
    const char* at = body + 2;
    if (c.v5) at += 1 + *at;
    std::string reasons;
    std::string topic;
    while (at < body + size) {
        topic.assign(at + 2, number(at));
        at += 2 + topic.size();
        reasons += static_cast<char>(*at++ & 3);
    }
    c.out += static_cast<char>(0x90);
    c.out += static_cast<char>(2 + (c.v5 ? 1 : 0) + reasons.size());
    c.out.append(id, 2);
    if (c.v5) c.out += '\0';
    c.out += reasons;
    begin_blast(c, topic);
}

/// False if the client leaves.
bool on_packet(Client& c, unsigned first, const char* body, std::size_t size) {
    switch (first >> 4) {
    case 1:
        c.v5 = body[6] == 5;
        c.out.append(c.v5 ? std::string("\x20\x03\0\0\0", 5) : std::string("\x20\x02\0\0", 4));
        return true;
    case 3: on_publish(c, first & 15, body, size); return true;
    case 4: --c.blast.unacknowledged; return true;
    case 5: acknowledge(c.out, 0x62, body); return true;
    case 6: acknowledge(c.out, 0x70, body); return true;
    case 7: --c.blast.unacknowledged; return true;
    case 8: on_subscribe(c, body, size); return true;
    case 10:
        c.out += c.v5 ? std::string("\xB0\x04", 2) : std::string("\xB0\x02", 2);
        c.out.append(body, 2);
        if (c.v5) c.out.append(2, '\0');
        return true;
    case 12: c.out.append("\xD0\0", 2); return true;
    default: return false;
    }
}

/// The packets in these octets; what is unfinished stays in c.in.
bool on_octets(Client& c, const char* data, std::size_t size) {
    if (!c.in.empty()) {
        c.in.append(data, size);
        data = c.in.data();
        size = c.in.size();
    }
    std::size_t at = 0;
    while (size - at >= 2) {
        std::size_t length = 0, header = 1;
        bool whole = false;
        for (unsigned shift = 0; header < size - at && header < 5; shift += 7) {
            const auto octet = static_cast<unsigned char>(data[at + header++]);
            length |= static_cast<std::size_t>(octet & 0x7F) << shift;
            if (octet < 0x80) {
                whole = true;
                break;
            }
        }
        if (!whole || size - at < header + length) break;
        if (!on_packet(c, static_cast<unsigned char>(data[at]), data + at + header, length)) return false;
        at += header + length;
    }
    std::string rest(data + at, size - at);
    c.in.swap(rest);
    return true;
}

void pump_blast(Client& c) {
    auto& b = c.blast;
    while (b.left > 0 && c.out.size() - c.written < chunk) {
        if (b.qos > 0) {
            if (b.unacknowledged >= blast_window) return;
            if (++b.id == 0) b.id = 1;
            b.packet[b.id_at] = static_cast<char>(b.id >> 8);
            b.packet[b.id_at + 1] = static_cast<char>(b.id);
            ++b.unacknowledged;
        }
        c.out += b.packet;
        --b.left;
    }
}

bool flush(Client& c) {
    while (true) {
        pump_blast(c);
        if (c.written == c.out.size()) break;
        const auto n = write_some(c, c.out.data() + c.written, c.out.size() - c.written);
        if (n < 0) return false;
        if (n == 0) return true;
        c.written += static_cast<std::size_t>(n);
        if (c.written == c.out.size()) {
            c.out.clear();
            c.written = 0;
        }
    }
    return true;
}

class Server {
public:
    Server() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

    void listen(int fd, SSL_CTX* tls) {
        if (::listen(fd, 4096) != 0) die("listen");
        watch(fd, EPOLLIN, EPOLL_CTL_ADD);
        listening_[fd] = tls;
    }
    void until_input_ends() {
        watch(STDIN_FILENO, EPOLLIN, EPOLL_CTL_ADD);
        epoll_event events[256];
        while (true) {
            const int n = ::epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < n; ++i) {
                const int fd = events[i].data.fd;
                if (fd == STDIN_FILENO) return;
                if (const auto l = listening_.find(fd); l != listening_.end())
                    accept(fd, l->second);
                else if (const auto c = clients_.find(fd); c != clients_.end() && !serve(*c->second))
                    clients_.erase(c);
            }
        }
    }

private:
    void watch(int fd, std::uint32_t what, int how) {
        epoll_event event{};
        event.events = what;
        event.data.fd = fd;
        if (::epoll_ctl(epoll_, how, fd, &event) != 0) die("epoll_ctl");
    }
    void accept(int listening, SSL_CTX* context) {
        while (true) {
            const int fd = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // no matter if it is no TCP
            auto client = std::make_unique<Client>(fd);
            if (context) {
                client->tls = SSL_new(context);
                SSL_set_fd(client->tls, fd);
                SSL_set_accept_state(client->tls);
            }
            clients_[fd] = std::move(client);
            watch(fd, EPOLLIN, EPOLL_CTL_ADD);
        }
    }
    bool serve(Client& c) {
        for (int turn = 0; turn < 16; ++turn) {
            const auto n = read_some(c, buffer_.data(), buffer_.size());
            if (n < 0 || (n > 0 && !on_octets(c, buffer_.data(), static_cast<std::size_t>(n)))) return false;
            if (static_cast<std::size_t>(n) < buffer_.size() && !c.tls) break;
            if (n == 0) break;
        }
        if (!flush(c)) return false;
        const bool wants_write = c.written < c.out.size();
        if (wants_write != c.wants_write) {
            c.wants_write = wants_write;
            watch(c.fd, wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
        }
        return true;
    }

    const int epoll_;
    std::unordered_map<int, SSL_CTX*> listening_;
    std::unordered_map<int, std::unique_ptr<Client>> clients_;
    std::string buffer_ = std::string(chunk, '\0');
};

int tcp(const char* name) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0) die("bind");
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    std::printf("%s %d\n", name, ntohs(at.sin_port));
    return fd;
}

int local() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::snprintf(at.sun_path, sizeof at.sun_path, "/tmp/tortoise-counterpart-%d", ::getpid());
    ::unlink(at.sun_path);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) die("bind");
    std::printf("unix %s\n", at.sun_path);
    return fd;
}

} // namespace

int main(int argc, char** argv) {
    Server server;
    server.listen(tcp("tcp"), nullptr);
    server.listen(local(), nullptr);
    if (argc == 4 && std::string_view(argv[1]) == "--tls") {
        SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1)
            return std::fputs("the certificate or its key cannot be used\n", stderr), 1;
        server.listen(tcp("tls"), context);
    }
    std::puts("ready");
    std::fflush(stdout);
    server.until_input_ends();
    ::unlink(("/tmp/tortoise-counterpart-" + std::to_string(::getpid())).c_str());
}
