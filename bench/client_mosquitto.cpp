// The comparison's work, done by libmosquitto with its own loop thread (mosquitto_loop_start).
#include "work.hpp"
#include <atomic>
#include <cstring>
#include <mosquitto.h>
#include <semaphore>

namespace {

struct State {
    std::counting_semaphore<65'536> window;
    std::binary_semaphore up{0}, back{0}, done{0};
    std::atomic<std::uint64_t> published{0}, received{0};
    std::uint64_t expected = 0;
    bool echo = false;
    explicit State(unsigned w) : window(w) {}
};
State& of(void* state) { return *static_cast<State*>(state); }

std::string host_of(const std::string& url, int& port) {
    auto at = url.substr(url.find("//") + 2);
    if (url.starts_with("unix:")) {
        port = 0;
        return at;
    }
    port = std::atoi(at.substr(at.rfind(':') + 1).c_str());
    return at.substr(0, at.rfind(':'));
}

} // namespace

int main(int argc, char** argv) {
    const auto work = bench::Work::from(argc, argv);
    mosquitto_lib_init();
    State state(work.window);
    state.expected = work.what == "pub" ? work.count / work.threads * work.threads : work.count * work.connections;
    state.echo = work.what == "rtt";
    std::vector<mosquitto*> clients;
    for (unsigned i = 0; i < work.connections; ++i) {
        auto* const m = mosquitto_new(nullptr, true, &state);
        mosquitto_max_inflight_messages_set(m, work.window);
        mosquitto_connect_callback_set(m, [](mosquitto*, void* s, int) { of(s).up.release(); });
        mosquitto_subscribe_callback_set(m, [](mosquitto*, void* s, int, int, const int*) { of(s).up.release(); });
        mosquitto_publish_callback_set(m, [](mosquitto*, void* s, int) {
            auto& its = of(s);
            if (its.echo) return;
            its.window.release();
            if (++its.published == its.expected) its.done.release();
        });
        mosquitto_message_callback_set(m, [](mosquitto*, void* s, const mosquitto_message*) {
            auto& its = of(s);
            if (its.echo) return its.back.release();
            if (++its.received == its.expected) its.done.release();
        });
        if (work.url.starts_with("mqtts")) {
            mosquitto_tls_set(m, nullptr, "/etc/ssl/certs", nullptr, nullptr, nullptr);
            mosquitto_tls_opts_set(m, 0, nullptr, nullptr);
            mosquitto_tls_insecure_set(m, true);
        }
        int port = 0;
        const auto host = host_of(work.url, port);
        if (mosquitto_connect(m, host.c_str(), port, 60) != MOSQ_ERR_SUCCESS)
            return std::fputs("no connection\n", stderr), 1;
        int on = 1;
        mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, on);
        mosquitto_loop_start(m);
        state.up.acquire();
        clients.push_back(m);
    }

    if (work.what == "sub") {
        const bench::Measure measure;
        for (auto* m : clients) mosquitto_subscribe(m, nullptr, work.blast().c_str(), work.qos);
        state.done.acquire();
        measure.report(state.expected);
    } else if (work.what == "rtt") {
        mosquitto_subscribe(clients[0], nullptr, "echo", 0);
        state.up.acquire();
        bench::round_trips(
            work,
            [&](const std::string& payload) {
                mosquitto_publish(clients[0], nullptr, "echo", static_cast<int>(payload.size()), payload.data(), 0,
                                  false);
            },
            [&] { state.back.acquire(); });
    } else {
        const bench::Measure measure;
        bench::from_threads(work, [&](unsigned c, std::uint64_t count, const std::string& payload) {
            for (std::uint64_t i = 0; i < count; ++i) {
                state.window.acquire();
                if (mosquitto_publish(clients[c], nullptr, "bench/topic", static_cast<int>(payload.size()),
                                      payload.data(), work.qos, false) != MOSQ_ERR_SUCCESS)
                    std::abort();
            }
        });
        state.done.acquire();
        measure.report(state.expected);
    }
    std::fflush(stdout);
    std::_Exit(0); // the peer's own end is not what is measured
}
