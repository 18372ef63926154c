// Publishes a great many messages from several threads over one connection, and awaits them together.
//   pipe [URL]
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <tortoise/tortoise.hpp>
#include <vector>

using namespace std::chrono_literals;
using tortoise::QoS;

int main(int argc, char** argv) {
    tortoise::Connection home{{.client_id = "example-pipe", .server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};
    std::atomic<std::uint64_t> delivered{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            tortoise::Pipe pipe(home, {.window = 200}); // a pipe is of one thread
            for (int i = 0; i < 1000; ++i) {
                // Waits when 200 are under way, or while the connection is down; at most 10 seconds.
                const auto accepted = pipe.publish("example/pipe/" + std::to_string(thread), std::to_string(i),
                                                   {.qos = QoS::at_least_once}, 10s);
                if (!accepted) return static_cast<void>(std::puts(accepted.error().describe().c_str()));
            }
            if (const auto report = pipe.await(10s)) delivered += report->delivered;
        });
    }
    for (auto& thread : threads) thread.join();
    std::printf("%llu messages delivered\n", static_cast<unsigned long long>(delivered));
    return delivered == 4000 && home.stop(1s).wait(10s) ? 0 : 1;
}
