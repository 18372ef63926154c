// Publishing at QoS 1 with every message on disk before its acceptance is reported: a Connection with a Store, and Paho
// C with its file persistence, one after the other, to the same broker.
//   bench_durable DIRECTORY [MESSAGES] [PAHO MESSAGES]
#include <MQTTAsync.h>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

namespace {

const std::string payload(64, 'x');

[[noreturn]] void give_up(int line) {
    std::fprintf(stderr, "bench_durable: line %d: no connection, or no answer\n", line);
    std::exit(1);
}

double seconds_of_cpu() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Measured {
    double accepted_per_second = 0, delivered_per_second = 0, cpu_us = 0;
};

class Stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }
    double cpu() const { return seconds_of_cpu() - cpu_; }

private:
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    double cpu_ = seconds_of_cpu();
};

Measured with_tortoise(const std::string& url, const std::string& directory, int messages) {
    tortoise::Connection connection{{.client_id = "durable",
                                     .server = url,
                                     .queue = {.messages = 1'000'000, .bytes = 1u << 30},
                                     .store = directory + "/tortoise.db"}};
    if (!connection.wait_until_up(10s)) give_up(__LINE__);
    constexpr std::size_t open = 10'000; // publishes whose acceptance was not reported yet
    std::deque<tortoise::Delivery> deliveries;
    const Stopwatch watch;
    int accepted = 0;
    const auto settle = [&] {
        if (!deliveries.front().accepted().wait()) give_up(__LINE__);
        ++accepted;
    };
    std::deque<tortoise::Delivery> unsettled;
    for (int i = 0; i < messages; ++i) {
        deliveries.push_back(connection.publish("bench/topic", payload, {.qos = QoS::at_least_once}));
        if (deliveries.size() < open) continue;
        settle();
        unsettled.push_back(std::move(deliveries.front()));
        deliveries.pop_front();
    }
    while (!deliveries.empty()) {
        settle();
        unsettled.push_back(std::move(deliveries.front()));
        deliveries.pop_front();
    }
    Measured m;
    m.accepted_per_second = accepted / watch.seconds();
    for (const auto& delivery : unsettled)
        if (!delivery.wait(60s)) give_up(__LINE__);
    m.delivered_per_second = messages / watch.seconds();
    m.cpu_us = watch.cpu() * 1e6 / messages;
    return m;
}

struct Paho {
    std::mutex mutex;
    std::condition_variable changed;
    int delivered = 0;
    bool connected = false;
};

Measured with_paho(const std::string& url, const std::string& directory, int messages) {
    Paho state;
    MQTTAsync client = nullptr;
    const auto address = "tcp://" + url.substr(url.find("//") + 2);
    if (MQTTAsync_create(&client, address.c_str(), "paho", MQTTCLIENT_PERSISTENCE_DEFAULT,
                         const_cast<char*>(directory.c_str())) != MQTTASYNC_SUCCESS)
        give_up(__LINE__);
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.maxInflight = 1000;
    options.context = &state;
    options.onSuccess = [](void* context, MQTTAsync_successData*) {
        auto& s = *static_cast<Paho*>(context);
        std::lock_guard lock(s.mutex);
        s.connected = true;
        s.changed.notify_all();
    };
    MQTTAsync_connect(client, &options);
    {
        std::unique_lock lock(state.mutex);
        if (!state.changed.wait_for(lock, 10s, [&] { return state.connected; })) give_up(__LINE__);
    }
    const Stopwatch watch;
    for (int i = 0; i < messages; ++i) {
        MQTTAsync_responseOptions answer = MQTTAsync_responseOptions_initializer;
        answer.context = &state;
        answer.onSuccess = [](void* context, MQTTAsync_successData*) {
            auto& s = *static_cast<Paho*>(context);
            std::lock_guard lock(s.mutex);
            ++s.delivered;
            s.changed.notify_all();
        };
        // It writes the file before it returns: its acceptance.
        if (MQTTAsync_send(client, "bench/topic", static_cast<int>(payload.size()), payload.data(), 1, 0, &answer) !=
            MQTTASYNC_SUCCESS)
            give_up(__LINE__);
    }
    Measured m;
    m.accepted_per_second = messages / watch.seconds();
    std::unique_lock lock(state.mutex);
    if (!state.changed.wait_for(lock, 120s, [&] { return state.delivered == messages; })) give_up(__LINE__);
    m.delivered_per_second = messages / watch.seconds();
    m.cpu_us = watch.cpu() * 1e6 / messages;
    lock.unlock();
    MQTTAsync_destroy(&client);
    return m;
}

void show(const char* name, const Measured& m) {
    std::printf("%-22s %12.0f %13.0f %17.1f\n", name, m.accepted_per_second, m.delivered_per_second, m.cpu_us);
}

} // namespace

int main(int count, char** words) {
    if (count < 2) return 2;
    const std::string directory = words[1]; // of who calls it, who removes it
    const int ours = count > 2 ? std::atoi(words[2]) : 200'000, theirs = count > 3 ? std::atoi(words[3]) : 2'000;
    tortoise::testing::Broker broker;
    std::printf("QoS 1, 64 bytes, on disk before acceptance\n%-22s %12s %13s %17s\n", "", "accepted/s", "delivered/s",
                "CPU us a message");
    show("tortoise, Store", with_tortoise(broker.url(), directory, ours));
    show("Paho C, its files", with_paho(broker.url(), directory, theirs));
}
