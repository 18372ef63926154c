// A home whose broker goes away and comes back, and whose greenhouse sensor is killed. Tells the story, prints what became of
// each message, and checks it.
//   demo                      with a broker in this process
//   demo --broker HOST:PORT   with yours: the home drops its connections, since your broker cannot be stopped from here
#include "ledger.hpp"
#include "sensor.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <tortoise/testing/broker.hpp>

using namespace std::chrono_literals;
using tortoise::Connection;
using tortoise::QoS;

namespace demo {
namespace {

constexpr auto patience = 30s; // far more than any step takes; then the demo fails instead of hanging
constexpr auto time_to_unlock = 300ms;

[[gnu::format(printf, 1, 2)]] void say(const char* format, ...) {
    static const auto begin = std::chrono::steady_clock::now();
    std::printf("%5.2f s  ", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    std::va_list arguments;
    va_start(arguments, format);
    std::vprintf(format, arguments);
    va_end(arguments);
    std::printf("\n");
    std::fflush(stdout);
}

/// Tells how many devices are connected.
class Presence {
public:
    void changed(bool up) {
        const std::lock_guard lock(mutex_);
        up_ += up ? 1 : -1;
        changed_.notify_all();
    }
    bool wait_until_all_are_down(std::chrono::seconds at_most) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, at_most, [this] { return up_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int up_ = 0;
};

struct Device : tortoise::Handler {
    explicit Device(Presence* to) : presence(to) {}
    tortoise::Actions connection(Connection&, const tortoise::StatusInfo& info) override {
        const bool up = info.status == tortoise::Status::up;
        if (up != was_up) presence->changed(up);
        was_up = up;
        return {};
    }
    Presence* presence;
    bool was_up = false;
};

struct Dashboard : Device {
    Dashboard(Presence* tell, Ledger* to) : Device(tell), ledger(to) {}
    tortoise::Actions message(Connection&, const tortoise::MessageView& m) override {
        ledger->arrived(m.topic, m.text());
        return {};
    }
    Ledger* ledger;
};

class Home {
public:
    Home(std::string server, std::string root) : server_(std::move(server)), root_(std::move(root)) {}

    /// Why not, if a device does not get through to the broker.
    std::optional<tortoise::Error> wait_until_up() {
        for (Connection* device : {&dashboard_, &hall_, &kitchen_, &meter_, &door_, &phone_}) {
            if (auto up = device->wait_until_up(10s); !up) return up.error();
        }
        if (auto grant = dashboard_.subscribe({root_ + "/#", QoS::exactly_once}).wait(patience); !grant) {
            return grant.error();
        }
        return std::nullopt;
    }

    /// A reading of every sensor: temperatures at QoS 0, the power meter at QoS 1, the door at QoS 2.
    void read_sensors(int rounds) {
        for (int i = 0; i < rounds; ++i) {
            const auto number = "reading " + std::to_string(++readings_);
            ledger_.publish(hall_, root_ + "/hall/temp", number, {.qos = QoS::at_most_once});
            ledger_.publish(kitchen_, root_ + "/kitchen/temp", number, {.qos = QoS::at_most_once});
            ledger_.publish(meter_, root_ + "/meter/power", number, {.qos = QoS::at_least_once});
            ledger_.publish(door_, root_ + "/door/state", number, {.qos = QoS::exactly_once});
        }
    }

    tortoise::Delivery command(const std::string& text, tortoise::PublishOptions options) {
        return ledger_.publish(phone_, root_ + "/door/command", text, std::move(options), "\"" + text + "\"");
    }

    /// Every device loses its connection and makes a new one.
    void drop_connections() {
        for (Connection* device : {&dashboard_, &hall_, &kitchen_, &meter_, &door_, &phone_}) device->reconnect();
    }

    /// Blocks until no device believes any more that it is connected; false after a while.
    bool wait_until_down() { return presence_.wait_until_all_are_down(patience); }

    /// The dashboard gets its own last word back: what was sent to it before, repeated or not, has arrived by then.
    bool say_good_night() {
        const std::string topic = root_ + "/house/end";
        ledger_.publish(dashboard_, topic, "good night", {.qos = QoS::exactly_once}, "\"good night\"");
        return ledger_.wait_for(topic, "good night", patience) && ledger_.wait_until_settled(patience);
    }

    Ledger& ledger() { return ledger_; }
    const std::string& root() const { return root_; }

private:
    Connection sensor(const std::string& name) {
        return device(name, tortoise::make_handler<Device>(&presence_), {.min = 50ms, .max = 200ms});
    }
    Connection device(const std::string& name, tortoise::HandlerFactory handler, tortoise::Backoff backoff) {
        return Connection{
            {.client_id = root_ + "-" + name, .server = server_, .handler = std::move(handler), .backoff = backoff}};
    }

    std::string server_;
    std::string root_;
    int readings_ = 0;
    Presence presence_; // these two before the connections, which write into them until they are gone
    Ledger ledger_;
    // In a hurry, so that it is mostly back before the sensors: a broker keeps no QoS 0 messages for who is not there.
    Connection dashboard_ =
        device("dashboard", tortoise::make_handler<Dashboard>(&presence_, &ledger_), {.min = 5ms, .max = 10ms});
    Connection hall_ = sensor("hall");
    Connection kitchen_ = sensor("kitchen");
    Connection meter_ = sensor("meter");
    Connection door_ = sensor("door");
    Connection phone_ = sensor("phone");
};

void print_table(const std::vector<Ledger::Row>& rows) {
    std::printf("\n  %-28s %3s %6s %10s %8s %6s %7s\n", "topic or \"message\"", "QoS", "sent", "delivered", "expired",
                "lost", "twice");
    for (const auto& row : rows) {
        std::printf("  %-28s %3d %6d %10d %8d %6d %7d\n", row.title.c_str(), static_cast<int>(row.qos), row.sent,
                    row.arrived, row.expired, row.missing(), row.repeated);
    }
    std::printf("\n  QoS 0 may lose, and QoS 1 may repeat, what was on its way when the connection went; QoS 2 does "
                "neither.\n\n");
}

/// A directory for the sensor's store, which goes with it.
class Directory {
public:
    Directory() {
        std::string name = std::filesystem::temp_directory_path() / "tortoise-demo-XXXXXX";
        if (::mkdtemp(name.data())) path_ = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// A program is killed in the middle of its work, and another one goes on with what it had accepted.
bool killed_sensor(Home& home, const std::string& server) {
    const Directory directory;
    const std::string topic = home.root() + "/greenhouse/humidity";
    const auto accepted = [&](int number) {
        home.ledger().expect(topic, "reading " + std::to_string(number), QoS::exactly_once);
    };
    SensorPlan plan{server, directory.path() + "/sensor.db", topic, 1, 100'000};
    {
        SensorProcess sensor(plan);
        const bool runs = sensor.read_accepted([&, left = 200](int number) mutable {
            accepted(number);
            return --left > 0;
        });
        if (!runs) return false;
        sensor.kill();
        sensor.read_accepted([&](int number) { // what it had still said
            accepted(number);
            return true;
        });
    }
    say("The greenhouse sensor, a program with a durable work list, is killed (-9) in mid-stream.");
    plan.first = 200'001;
    plan.count = 100;
    SensorProcess sensor(plan);
    sensor.read_accepted([&](int number) {
        accepted(number);
        return true;
    });
    if (!sensor.ended_well()) return false;
    say("Started again, it sends what it had accepted, and 100 readings more.");
    return true;
}

/// What the story promised and the ledger does not show; empty if it is true.
std::vector<std::string> untrue(const std::vector<Ledger::Row>& rows, bool unlock_must_expire) {
    std::vector<std::string> found;
    int expired = 0;
    for (const auto& row : rows) {
        expired += row.expired;
        if (row.failed != 0) found.push_back(row.title + ": publishes failed");
        if (row.qos != QoS::at_most_once && row.missing() != 0) found.push_back(row.title + ": messages were lost");
        if (row.qos == QoS::exactly_once && row.repeated != 0) found.push_back(row.title + ": arrived twice");
        if (row.expired != 0 && row.arrived != 0) found.push_back(row.title + ": expired, yet arrived");
    }
    if (expired != (unlock_must_expire ? 1 : 0)) found.emplace_back("one message should have expired, and no other");
    return found;
}

/// The broker goes away and comes back. False if it did not come back.
bool outage(Home& home, tortoise::testing::Broker& broker) {
    broker.stop();
    say("The broker is stopped in mid-stream; %d messages are still on their way.", home.ledger().on_their_way());
    if (!home.wait_until_down()) say("Some device did not notice.");

    home.read_sensors(50);
    auto unlock = home.command("unlock the door", {.qos = QoS::at_least_once, .ttl = time_to_unlock});
    home.command("heat the hall", {.qos = QoS::exactly_once});
    say("Offline: 200 more readings, \"unlock the door\" (good for %d ms), \"heat the hall\" (no limit).",
        static_cast<int>(time_to_unlock.count()));

    const auto outcome = unlock.wait(patience);
    say("\"unlock the door\" ended while the broker was away: %s.",
        outcome ? "delivered" : outcome.error().describe().c_str());

    if (const auto started = broker.start(); !started) {
        say("The broker did not come back: %s", started.error().describe().c_str());
        return false;
    }
    say("The broker is back, and so are its sessions; every device reconnects by itself.");
    return true;
}

/// The same with a broker that is not ours.
void drop(Home& home) {
    home.drop_connections();
    say("Every device drops its connection in mid-stream; %d messages are still on their way.",
        home.ledger().on_their_way());
    home.read_sensors(50);
    home.command("heat the hall", {.qos = QoS::exactly_once});
    say("200 more readings and a command while the devices reconnect.");
}

int tell(const std::string& server, tortoise::testing::Broker* broker) {
    say("A home of six devices, each with a connection of its own to %s.", server.c_str());
    Home home(server, "home" + std::to_string(std::random_device{}() % 1'000'000));
    if (const auto error = home.wait_until_up()) {
        say("The home does not get through to the broker: %s", error->describe().c_str());
        return 1;
    }
    for (int i = 0; i < 20; ++i) {
        home.read_sensors(25);
        if (!home.ledger().wait_until_settled(patience)) say("The readings did not all arrive.");
    }
    say("All are up, and 2000 readings of four sensors, at QoS 0, 1 and 2, reached the dashboard.");

    home.read_sensors(100);
    if (!broker)
        drop(home);
    else if (!outage(home, *broker))
        return 1;

    if (!killed_sensor(home, server)) {
        say("The greenhouse sensor did not do its work.");
        return 1;
    }

    if (home.ledger().wait_until_settled(patience) && home.say_good_night())
        say("Everything has settled.");
    else
        say("%d publishes have not ended, %d messages have not arrived.", home.ledger().open(),
            home.ledger().on_their_way());

    const auto rows = home.ledger().rows();
    print_table(rows);
    const auto wrong = untrue(rows, broker != nullptr);
    for (const auto& what : wrong) std::printf("NOT TRUE: %s\n", what.c_str());
    if (!wrong.empty() || home.ledger().open() != 0) return 1;
    std::printf("Nothing lost at QoS 1 and 2, nothing twice at QoS 2, whoever was killed%s.\n",
                broker ? "; the door was not unlocked late" : "");
    return 0;
}

} // namespace
} // namespace demo

int main(int argc, char** argv) {
    if (argc == 7 && std::strcmp(argv[1], "--sensor") == 0)
        return demo::run_sensor({argv[2], argv[3], argv[4], std::atoi(argv[5]), std::atoi(argv[6])});
    if (argc == 3 && std::strcmp(argv[1], "--broker") == 0)
        return demo::tell(std::string("mqtt://") + argv[2], nullptr);
    if (argc != 1) {
        std::fprintf(stderr, "usage: demo [--broker HOST:PORT]\n");
        return 2;
    }
    tortoise::testing::Broker broker;
    if (const auto ok = broker.ok(); !ok) {
        std::fprintf(stderr, "demo: no broker: %s\n", ok.error().describe().c_str());
        return 1;
    }
    return demo::tell(broker.url(), &broker);
}
