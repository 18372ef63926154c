// Runs the same work by tortoise, libmosquitto and Paho C against the counterpart, in turns, several times, and prints
// tables of medians: nanoseconds of processor time that the client's process spends on a message, system time included.
//   compare PROGRAMS CERTIFICATE [--quick]     two directories: of the clients and the counterpart; of its certificate
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

std::string programs, certificates;
int repeats = 9;
double share = 1; // of the messages

/// The other end, until this goes.
class Counterpart {
public:
    Counterpart() {
        int in[2], out[2];
        if (::pipe(in) != 0 || ::pipe(out) != 0) std::exit(1);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(in[0], 0);
            ::dup2(out[1], 1);
            for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
            const auto program = programs + "/counterpart", certificate = certificates + "/counterpart.pem",
                       key = certificates + "/counterpart.key";
            ::execl(program.c_str(), "counterpart", "--tls", certificate.c_str(), key.c_str(), nullptr);
            std::_Exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        FILE* const told = ::fdopen(out[0], "r");
        char kind[16], where[256];
        while (std::fscanf(told, "%15s", kind) == 1 && std::string_view(kind) != "ready")
            if (std::fscanf(told, "%255s", where) == 1) at_[kind] = where;
        std::fclose(told);
    }
    ~Counterpart() {
        ::close(input_);
        ::waitpid(pid_, nullptr, 0);
    }
    std::string url(const std::string& transport) {
        if (transport == "unix") return "unix://" + at_["unix"];
        return (transport == "tls" ? "mqtts://127.0.0.1:" : "mqtt://127.0.0.1:") + at_[transport];
    }

private:
    pid_t pid_;
    int input_;
    std::map<std::string, std::string> at_;
};

struct Case {
    std::string name, what;
    int qos;
    long count;
    int size = 64;
    std::string transport = "tcp";
    int threads = 1, connections = 1;
};
struct Figure {
    double ns, p50, p99, rate;
    long kib;
};

std::optional<Figure> run(const std::string& client, const Case& c, const std::string& url) {
    const auto count = std::max(1000L, static_cast<long>(static_cast<double>(c.count) * share));
    const auto command = "timeout 120 " + programs + "/client_" + client + " " + c.what + " " + url + " " +
                         std::to_string(c.qos) + " " + std::to_string(count) + " " + std::to_string(c.size) + " 1000 " +
                         std::to_string(c.threads) + " " + std::to_string(c.connections) + " 2>/dev/null";
    FILE* const out = ::popen(command.c_str(), "r");
    double messages = 0, seconds = 0, cpu = 0, p50 = 0, p99 = 0;
    long kib = 0;
    const int got = std::fscanf(out, "%lf %lf %lf %lf %lf %ld", &messages, &seconds, &cpu, &p50, &p99, &kib);
    if (::pclose(out) != 0 || got != 6) return std::nullopt;
    return Figure{cpu * 1e9 / messages, p50, p99, messages / seconds, kib};
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Peers do less work in the same time: a part of it shows as much.
long count_for(const std::string& client, long count) {
    return client == "paho" ? count / 50 : client == "mosquitto" ? count / 20 : count;
}

bool can(const std::string& client, const Case& c) {
    if (client == "paho") return c.what != "pipe" && c.transport != "unix" && c.connections == 1;
    if (client == "mosquitto") return c.what != "pipe" && c.connections <= 300;
    return true;
}

std::string number(double value, const char* format) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return value > 0 ? text : "–";
}

using Clients = std::vector<std::pair<std::string, const char*>>; // programs, and what they are called

/// A column for each client, and one for each ratio of another to the first.
void table(Counterpart& counterpart, const char* title, const Clients& clients, const std::vector<Case>& cases) {
    std::printf("\n### %s\n\n| work |", title);
    for (const auto& [client, name] : clients) std::printf(" %s, ns |", name);
    for (std::size_t i = 1; i < clients.size(); ++i) std::printf(" %s / %s |", clients[i].second, clients[0].second);
    std::printf("\n|---");
    for (std::size_t i = 1; i < 2 * clients.size(); ++i) std::printf("|---");
    std::puts("|");
    for (const auto& c : cases) {
        std::map<std::string, std::vector<double>> figures;
        const bool times = c.what == "rtt";
        for (int i = 0; i < repeats; ++i) {
            for (const auto& [client, name] : clients) {
                if (!can(client, c)) continue;
                auto its = c;
                its.count = times ? c.count : count_for(client, c.count);
                if (const auto figure = run(client, its, counterpart.url(c.transport)))
                    figures[client].push_back(times ? figure->p50 * 1000 : figure->ns);
            }
        }
        std::printf("| %s |", c.name.c_str());
        const double ours = median(figures[clients[0].first]);
        for (const auto& [client, name] : clients) std::printf(" %s |", number(median(figures[client]), "%.0f").c_str());
        for (std::size_t i = 1; i < clients.size(); ++i) {
            const double its = median(figures[clients[i].first]);
            std::printf(" %s |", number(ours > 0 ? its / ours : 0, "%.2f").c_str());
        }
        std::puts("");
        std::fflush(stdout);
    }
}

const Clients peers = {{"tortoise", "tortoise"}, {"mosquitto", "libmosquitto"}, {"paho", "Paho C"}};
const Clients raw = {{"raw", "raw socket"}, {"tortoise", "tortoise"}};

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) return std::fputs("usage: compare PROGRAMS CERTIFICATE [--quick]\n", stderr), 2;
    programs = argv[1];
    certificates = argv[2];
    if (argc > 3 && std::string_view(argv[3]) == "--quick") {
        repeats = 1;
        share = 0.1;
    }
    Counterpart counterpart;
    table(counterpart, "The common case: TCP, 64 octets, one connection, one thread, 1,000 unacknowledged", peers,
          {{"publish QoS 0", "pub", 0, 2'000'000},
           {"publish QoS 1", "pub", 1, 500'000},
           {"publish QoS 2", "pub", 2, 300'000},
           {"pipe QoS 0", "pipe", 0, 2'000'000},
           {"pipe QoS 1", "pipe", 1, 500'000},
           {"pipe QoS 2", "pipe", 2, 300'000},
           {"receive QoS 0", "sub", 0, 3'000'000},
           {"receive QoS 1", "sub", 1, 1'000'000},
           {"receive QoS 2", "sub", 2, 500'000},
           {"round trip, median, ns", "rtt", 0, 20'000}});
    if (repeats > 1) repeats = 3;
    table(counterpart, "Larger payloads", peers,
          {{"publish QoS 0, 1 KiB", "pub", 0, 1'000'000, 1024},
           {"publish QoS 1, 1 KiB", "pub", 1, 300'000, 1024},
           {"receive QoS 0, 1 KiB", "sub", 0, 1'000'000, 1024},
           {"publish QoS 0, 64 KiB", "pub", 0, 30'000, 65'536},
           {"receive QoS 0, 64 KiB", "sub", 0, 30'000, 65'536}});
    table(counterpart, "Other transports", peers,
          {{"publish QoS 0, TLS", "pub", 0, 1'000'000, 64, "tls"},
           {"publish QoS 1, TLS", "pub", 1, 300'000, 64, "tls"},
           {"receive QoS 0, TLS", "sub", 0, 1'000'000, 64, "tls"},
           {"publish QoS 0, Unix socket", "pub", 0, 2'000'000, 64, "unix"},
           {"receive QoS 0, Unix socket", "sub", 0, 2'000'000, 64, "unix"}});
    table(counterpart, "Threads and connections", peers,
          {{"publish QoS 0, 4 threads", "pub", 0, 2'000'000, 64, "tcp", 4},
           {"publish QoS 1, 4 threads", "pub", 1, 500'000, 64, "tcp", 4},
           {"publish QoS 1, 100 connections", "pub", 1, 500'000, 64, "tcp", 4, 100},
           {"receive QoS 1, 100 connections", "sub", 1, 10'000, 64, "tcp", 1, 100},
           {"receive QoS 1, 9,000 connections", "sub", 1, 100, 64, "tcp", 1, 9000}});
    if (repeats > 1) repeats = 7; // TLS moves by a tenth from run to run
    table(counterpart, "Next to ready octets, written 64 KiB at a time to a socket, or to OpenSSL's", raw,
          {{"publish QoS 0, 64 octets", "pub", 0, 2'000'000},
           {"publish QoS 0, 1 KiB", "pub", 0, 1'000'000, 1024},
           {"pipe QoS 0, 1 KiB", "pipe", 0, 1'000'000, 1024},
           {"publish QoS 0, 1 KiB, TLS", "pub", 0, 500'000, 1024, "tls"},
           {"pipe QoS 0, 1 KiB, TLS", "pipe", 0, 500'000, 1024, "tls"}});
}
