// The comparison's work, done by Paho C's asynchronous client.
#include "work.hpp"
#include <MQTTAsync.h>
#include <atomic>
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

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::_Exit(1);
}
void failed(void*, MQTTAsync_failureData*) { fail("an operation failed"); }
void is_up(void* s, MQTTAsync_successData*) { of(s).up.release(); }
void sent(void* s, MQTTAsync_successData*) {
    auto& state = of(s);
    if (state.echo) return;
    state.window.release();
    if (++state.published == state.expected) state.done.release();
}
int arrived(void* s, char* topic, int, MQTTAsync_message* message) {
    auto& state = of(s);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    if (state.echo)
        state.back.release();
    else if (++state.received == state.expected)
        state.done.release();
    return 1;
}

void send(MQTTAsync client, State& state, const char* topic, const std::string& payload, int qos) {
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = sent;
    options.onFailure = failed;
    options.context = &state;
    if (MQTTAsync_send(client, topic, static_cast<int>(payload.size()), payload.data(), qos, 0, &options) !=
        MQTTASYNC_SUCCESS)
        fail("a publish was refused");
}

void subscribe(MQTTAsync client, State& state, const std::string& filter, int qos) {
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = is_up;
    options.onFailure = failed;
    options.context = &state;
    if (MQTTAsync_subscribe(client, filter.c_str(), qos, &options) != MQTTASYNC_SUCCESS) fail("no subscribe");
}

} // namespace

int main(int argc, char** argv) {
    const auto work = bench::Work::from(argc, argv);
    State state(work.window);
    state.expected = work.what == "pub" ? work.count / work.threads * work.threads : work.count * work.connections;
    state.echo = work.what == "rtt";
    const auto url = (work.url.starts_with("mqtts") ? "ssl" : "tcp") + work.url.substr(work.url.find("://"));
    std::vector<MQTTAsync> clients(work.connections);
    for (unsigned i = 0; i < work.connections; ++i) {
        const auto id = "paho-" + std::to_string(i);
        MQTTAsync_create(&clients[i], url.c_str(), id.c_str(), MQTTCLIENT_PERSISTENCE_NONE, nullptr);
        MQTTAsync_setCallbacks(clients[i], &state, nullptr, arrived, nullptr);
        MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
        tls.enableServerCertAuth = 0;
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
        options.maxInflight = static_cast<int>(work.window);
        options.onSuccess = is_up;
        options.onFailure = failed;
        options.context = &state;
        if (url.starts_with("ssl")) options.ssl = &tls;
        if (MQTTAsync_connect(clients[i], &options) != MQTTASYNC_SUCCESS) fail("no connection");
        state.up.acquire();
    }

    if (work.what == "sub") {
        const bench::Measure measure;
        for (auto client : clients) subscribe(client, state, work.blast(), work.qos);
        state.done.acquire();
        measure.report(state.expected);
    } else if (work.what == "rtt") {
        subscribe(clients[0], state, "echo", 0);
        state.up.acquire();
        bench::round_trips(
            work, [&](const std::string& payload) { send(clients[0], state, "echo", payload, 0); },
            [&] { state.back.acquire(); });
    } else {
        const bench::Measure measure;
        bench::from_threads(work, [&](unsigned c, std::uint64_t count, const std::string& payload) {
            for (std::uint64_t i = 0; i < count; ++i) {
                state.window.acquire();
                send(clients[c], state, "bench/topic", payload, work.qos);
            }
        });
        state.done.acquire();
        measure.report(state.expected);
    }
    std::fflush(stdout);
    std::_Exit(0); // the peer's own end is not what is measured
}
