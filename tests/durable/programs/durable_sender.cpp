// A program that is made to be killed: publishes numbers, durably, and says which of them were accepted.
//   durable_sender URL STORE VERSION QOS FIRST [WORD…]    from FIRST on, without an end
//   durable_sender URL STORE VERSION QOS end [WORD…]      nothing new: ends when what is left was delivered
// session: by a jackalope::Session. periodic: with that durability. asked: a number for each line of standard input.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <jackalope/session.hpp>
#include <string>
#include <tortoise/tortoise.hpp>

using namespace tortoise;
using namespace std::chrono_literals;

namespace {

struct Words {
    std::string url, store, first;
    Version version;
    QoS qos;
    bool session = false, periodic = false, asked = false;
};

Store store_of(const Words& words) {
    return {words.store, {.durability = words.periodic ? Durability::periodic : Durability::on_disk}};
}

template <class Sender> int flush(Sender& sender, const Pending<SessionInfo>& online) {
    const auto up = online.wait(30s);
    static_cast<void>(sender.stop(30s).wait());
    return up ? 0 : 1;
}

template <class Sender> void send(Sender& sender, const Words& words, auto options) {
    constexpr std::size_t window =
        400; // not yet delivered: else each life would leave more behind than the next can send
    std::deque<Delivery> open;
    std::string line;
    for (long number = std::atol(words.first.c_str()); !words.asked || std::getline(std::cin, line); ++number) {
        options.qos = words.qos;
        open.push_back(sender.publish("numbers", std::to_string(number), options));
        open.back().accepted().on_done([number](const Result<Done>& result) {
            if (result) std::printf("accepted %ld\n", number);
            std::fflush(stdout);
        });
        if (open.size() < window) continue;
        static_cast<void>(open.front().wait());
        open.pop_front();
    }
}

int fail(const Error& error) {
    std::fprintf(stderr, "%s\n", error.describe().c_str());
    return 1;
}

int by_connection(const Words& words) {
    Connection connection({.client_id = "sender",
                           .server = words.url,
                           .version = words.version,
                           .session = {.clean_start = false},
                           .store = store_of(words)});
    if (connection.status() == Status::stopped) return fail(connection.error());
    if (words.first == "end") return flush(connection, connection.ready());
    send(connection, words, PublishOptions());
    return 0;
}

int by_session(const Words& words) {
    jackalope::Session session({.client_id = "sender",
                                .server = words.url,
                                .work_list = jackalope::DurableWorkList{store_of(words), {.messages = 100'000}},
                                .connection = {.version = words.version}});
    if (session.error().code) return fail(session.error());
    if (words.first == "end") return flush(session, session.online());
    send(session, words, jackalope::PublishOptions());
    return 0;
}

} // namespace

int main(int count, char** words) {
    if (count < 6) return 2;
    const auto has = [&](std::string_view word) { return std::find(words + 6, words + count, word) != words + count; };
    const Words said{.url = words[1],
                     .store = words[2],
                     .first = words[5],
                     .version = std::string(words[3]) == "5" ? Version::v5 : Version::v3_1_1,
                     .qos = static_cast<QoS>(std::atoi(words[4])),
                     .session = has("session"),
                     .periodic = has("periodic"),
                     .asked = has("asked")};
    return said.session ? by_session(said) : by_connection(said);
}
