// A program that is made to be killed: publishes numbers, durably, and says which of them were accepted.
//   durable_sender URL STORE VERSION QOS FIRST [WORD…]    from FIRST on, without an end
//   durable_sender URL STORE VERSION QOS end [WORD…]      nothing new: ends when what is left was delivered
// session: by a jackalope::Session. periodic: with that durability. asked: a number for each line of standard input.
// lively: notices a fault within two seconds, is back within one, and says so. as=NAME: with that client id and topic.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <jackalope/session.hpp>
#include <string>
#include <tortoise/tortoise.hpp>
#include <vector>

using namespace tortoise;
using namespace std::chrono_literals;

namespace {

struct Words {
    std::string url, store, first;
    Version version;
    QoS qos;
    bool session = false, periodic = false, asked = false, lively = false;
    std::string name = "sender", topic = "numbers";
};

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

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
        open.push_back(sender.publish(words.topic, std::to_string(number), options));
        open.back().accepted().on_done([number](const Result<Done>& result) {
            const auto which = " " + std::to_string(number);
            say(result ? "accepted" + which : "refused" + which + " " + result.error().describe());
        });
        if (words.lively)
            open.back().on_done([number](const Result<Receipt>& receipt) {
                if (receipt) say("delivered " + std::to_string(number));
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

struct Telling : Handler {
    Actions connection(Connection&, const StatusInfo& info) override {
        say(std::string(to_string(info.status)));
        return {};
    }
};

struct TellingOfSession : jackalope::Handler {
    void connection(jackalope::Session&, jackalope::ConnectionStatus status, const Error&) override {
        say(status == jackalope::ConnectionStatus::online ? "up" : "down");
    }
};

/// What connections and sessions have in common.
ConnectionOptions options_of(const Words& words) {
    ConnectionOptions options{.version = words.version};
    if (words.lively) {
        options.keep_alive = options.keep_alive_timeout = options.connect_timeout = 1s;
        options.backoff = {.min = 50ms, .max = 1s};
    }
    return options;
}

int by_connection(const Words& words) {
    auto options = options_of(words);
    options.client_id = words.name;
    options.server = words.url;
    options.session.clean_start = false;
    options.store = store_of(words);
    if (words.lively) options.handler = make_handler<Telling>();
    Connection connection(std::move(options));
    if (connection.status() == Status::stopped) return fail(connection.error());
    if (words.first == "end") return flush(connection, connection.ready());
    send(connection, words, PublishOptions());
    return 0;
}

int by_session(const Words& words) {
    auto options = options_of(words);
    const auto backoff = options.backoff;
    options.backoff = {};
    jackalope::SessionOptions of_session{.client_id = words.name,
                                         .server = words.url,
                                         .work_list =
                                             jackalope::DurableWorkList{store_of(words), {.messages = 100'000}},
                                         .connection = std::move(options)};
    if (words.lively) {
        of_session.handler = jackalope::make_handler<TellingOfSession>();
        of_session.backoff = backoff;
    }
    jackalope::Session session(std::move(of_session));
    if (session.error().code) return fail(session.error());
    if (words.first == "end") return flush(session, session.online());
    send(session, words, jackalope::PublishOptions());
    return 0;
}

} // namespace

int main(int count, char** words) {
    if (count < 6) return 2;
    const auto has = [&](std::string_view word) { return std::find(words + 6, words + count, word) != words + count; };
    Words said{.url = words[1],
               .store = words[2],
               .first = words[5],
               .version = std::string(words[3]) == "5" ? Version::v5 : Version::v3_1_1,
               .qos = static_cast<QoS>(std::atoi(words[4])),
               .session = has("session"),
               .periodic = has("periodic"),
               .asked = has("asked"),
               .lively = has("lively")};
    for (const std::string& word : std::vector<std::string>(words + 6, words + count))
        if (word.starts_with("as=")) said.topic += "/" + (said.name = word.substr(3));
    return said.session ? by_session(said) : by_connection(said);
}
