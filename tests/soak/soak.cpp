// Hours in the life of many connections: they publish and receive at a gentle pace while the broker is restarted,
// connections are cut, and packets are lost, doubled and held up. Ends with a verdict, and a picture over time.
//   soak --minutes M [--connections 200] [--rate 200] [--mosquitto] [--directory build/soak]
#include "soak/picture.hpp"
#include "soak/target.hpp"
#include "soak/traffic.hpp"

#include <cstdio>
#include <thread>

namespace soak {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Words {
    double minutes = 0;
    std::size_t connections = 200, rate = 200; ///< messages a second, together
    bool mosquitto = false;
    std::string directory = "build/soak";
};

std::optional<Words> parse(int count, char** text) {
    Words words;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = text[i];
        if (word == "--mosquitto") {
            words.mosquitto = true;
            continue;
        }
        if (++i == count) return std::nullopt;
        if (word == "--minutes")
            words.minutes = std::atof(text[i]);
        else if (word == "--connections")
            words.connections = std::strtoul(text[i], nullptr, 10);
        else if (word == "--rate")
            words.rate = std::strtoul(text[i], nullptr, 10);
        else if (word == "--directory")
            words.directory = text[i];
        else
            return std::nullopt;
    }
    const bool sensible = words.minutes > 0 && words.connections > 1 && words.connections <= 900 && words.rate >= 10;
    return sensible ? std::optional(words) : std::nullopt;
}

/// Every few seconds something happens; what it is follows from the seed.
class Chaos {
public:
    explicit Chaos(Target& target) : target_(target) {}

    /// True: something happened now.
    bool turn(Clock::time_point now) {
        if (down_) {
            if (now < next_) return false;
            target_.start();
            down_ = false;
            plan(now);
            return false;
        }
        if (now < next_) return false;
        target_.faults.clear();
        const auto choice = random_() % (std::size(rules) + 6);
        plan(now);
        ++faults_;
        if (choice < std::size(rules)) {
            if (const auto added = target_.faults.add(rules[choice]); !added)
                throw std::runtime_error(added.error().describe());
        } else if (choice < std::size(rules) + 3) {
            target_.drop_connections();
        } else {
            target_.stop();
            down_ = true;
            next_ = now + std::chrono::milliseconds(200 + random_() % 1800);
        }
        return true;
    }
    /// All is well from now on.
    void end() {
        if (down_) target_.start();
        down_ = false;
        target_.faults.clear();
        target_.drop_connections(); // what was dropped on a living connection is sent again on the next
    }
    std::size_t faults() const { return faults_; }

private:
    static constexpr std::string_view rules[] = {
        "cut PUBLISH first=5",       "cut PUBACK first=3",         "cut PUBREL first=3",
        "cut SUBACK first=3",        "reset PUBREC first=3",       "reset PUBCOMP first=3",
        "drop PUBACK first=20",      "drop PUBCOMP first=20",      "delay PUBLISH 200ms first=99",
        "drop SUBACK first=3",       "duplicate PUBLISH first=50", "stall PUBLISH 3s first=3",
        "half-open PINGREQ first=2", "delay CONNACK 1s first=20",  "byte-by-byte PUBLISH first=50"};

    void plan(Clock::time_point now) { next_ = now + std::chrono::milliseconds(3000 + random_() % 5000); }

    Target& target_;
    std::mt19937 random_{11};
    Clock::time_point next_ = Clock::now() + 10s; // let all come up first
    bool down_ = false;
    std::size_t faults_ = 0;
};

/// A line for each thing that has to hold.
class Verdict {
public:
    void line(bool ok, const std::string& text) {
        std::printf("%-6s %s\n", ok ? "ok" : "FAILED", text.c_str());
        good_ = good_ && ok;
    }
    void about(const Sums& sums, std::size_t failed) {
        const auto text = [](std::size_t n) { return std::to_string(n); };
        line(sums.accepted > 0, text(sums.published) + " messages published, " + text(sums.accepted) + " accepted, " +
                                    text(sums.arrived) + " arrived");
        line(sums.lost == 0, text(sums.lost) + " of QoS 1 and 2 lost");
        line(sums.twice == 0, text(sums.twice) + " of QoS 2 twice (" + text(sums.again) + " of QoS 1, which may)");
        line(sums.foreign == 0, text(sums.foreign) + " that nobody published");
        line(failed == 0, text(failed) + " deliveries ended with an error");
    }
    /// From the second quarter of the run to the last one.
    void about(const Watch& watch) {
        const auto compare = [&](double Sample::*field, double more, double share, const char* what) {
            const double before = watch.median(field, 0.25, 0.5), after = watch.median(field, 0.75, 1);
            char text[120];
            std::snprintf(text, sizeof text, "%s: %.1f in the second quarter, %.1f in the last", what, before, after);
            line(after <= before * (1 + share) + more, text);
        };
        compare(&Sample::mebibytes, 8, 0.1, "MiB of memory");
        compare(&Sample::descriptors, 10, 0.02, "descriptors");
        compare(&Sample::threads, 0, 0, "threads");
    }
    bool good() const { return good_; }

private:
    bool good_ = true;
};

/// Waits for the condition, looking now and then; false: it took a minute.
bool settle(const std::function<bool()>& condition) {
    const auto until = Clock::now() + 60s;
    while (!condition()) {
        if (Clock::now() > until) return false;
        std::this_thread::sleep_for(100ms);
    }
    return true;
}

class Soak {
public:
    explicit Soak(const Words& words)
        : words_(words),
          target_(words.mosquitto ? std::unique_ptr<Target>(new DebiansMosquitto) : std::make_unique<Ours>()),
          chaos_(*target_), watch_(words.directory + "/soak.csv"),
          traffic_(target_->url(), words.connections, words.directory + "/session.db", room()) {}

    bool run() {
        const auto end = began_ + std::chrono::duration_cast<Clock::duration>(words_.minutes * 60s);
        bool fault = false;
        for (auto now = began_; now < end; ++ticks_) {
            std::this_thread::sleep_until(began_ + ticks_ * tick); // the pace is the load's own
            now = Clock::now();
            fault |= chaos_.turn(now);
            publish();
            if (ticks_ % ticks_of_second == 0) watch(now, std::exchange(fault, false));
        }
        chaos_.end();
        Verdict verdict;
        verdict.line(settle([&] { return traffic_.is_settled() && traffic_.books().sums().lost == 0; }),
                     "all connections came back, and nothing is on its way any more");
        verdict.about(traffic_.books().sums(), traffic_.failed());
        verdict.about(watch_);
        report();
        return verdict.good();
    }

private:
    static constexpr auto tick = 50ms;
    static constexpr std::size_t ticks_of_second = 20, seconds_of_session = 20;

    std::size_t room() const {
        const auto rate = static_cast<double>(words_.rate) / static_cast<double>(words_.connections);
        return static_cast<std::size_t>(words_.minutes * 60 * std::max(rate, 2.0)) + 100;
    }
    void publish() {
        const auto due = (ticks_ + 1) * words_.rate / ticks_of_second;
        for (; published_ < due; ++published_) traffic_.publish();
        if (ticks_ % (ticks_of_second / 2) == 0) traffic_.publish_by_session();
        if ((ticks_ + 1) % (ticks_of_second * seconds_of_session) == 0) traffic_.renew_session();
    }
    void watch(Clock::time_point now, bool fault) {
        const auto arrived = traffic_.arrived();
        watch_.add({.seconds = std::chrono::duration<double>(now - began_).count(),
                    .up = static_cast<double>(traffic_.up()),
                    .messages = static_cast<double>(arrived - std::exchange(arrived_, arrived)),
                    .fault = fault});
    }
    void report() const {
        const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
        std::printf("       %zu faults, %llu connects, %.0f %% of a processor\n", chaos_.faults(),
                    static_cast<unsigned long long>(traffic_.connects()), 100 * processor_seconds() / seconds);
        char title[120];
        std::snprintf(title, sizeof title, "%zu connections, %s, %.4g minutes, %zu faults", words_.connections,
                      words_.mosquitto ? "mosquitto" : "the broker for tests, in the same process", words_.minutes,
                      chaos_.faults());
        std::ofstream(words_.directory + "/soak.svg") << Picture(watch_.samples(), title).draw();
        std::printf("       %s/soak.svg, %s/soak.csv\n", words_.directory.c_str(), words_.directory.c_str());
    }

    const Words words_;
    const Clock::time_point began_ = Clock::now();
    std::unique_ptr<Target> target_;
    Chaos chaos_;
    Watch watch_;
    Traffic traffic_;
    std::size_t ticks_ = 0, published_ = 0, arrived_ = 0;
};

} // namespace
} // namespace soak

int main(int count, char** text) {
    const auto words = soak::parse(count, text);
    if (!words) {
        std::fputs("usage: soak --minutes M [--connections 2…900] [--rate MESSAGES_A_SECOND] [--mosquitto] "
                   "[--directory DIRECTORY]\n",
                   stderr);
        return 2;
    }
    try {
        std::filesystem::remove_all(words->directory);
        std::filesystem::create_directories(words->directory);
        return soak::Soak(*words).run() ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "soak: %s\n", error.what());
        return 2;
    }
}
