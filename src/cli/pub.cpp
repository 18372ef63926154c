// tortoise pub: publishes messages, and ends when they are delivered.

#include "check.hpp"
#include "client.hpp"
#include "command.hpp"
#include "input.hpp"
#include "property_argument.hpp"
#include <algorithm>
#include <deque>
#include <memory>
#include <thread>
#include <tortoise/topic.hpp>
#include <unistd.h>

namespace cli {

using tortoise::Connection;
using tortoise::Delivery;
using tortoise::Errc;
using tortoise::Octets;
using tortoise::QoS;
using tortoise::Receipt;
using tortoise::Result;

namespace {

struct PubArguments {
    ConnectArguments connect = {};
    std::string topic = {};
    std::optional<std::string> message = {}, file = {};
    bool lines = false, nothing = false, whole_input = false;
    unsigned qos = 0;
    bool retain = false;
    std::uint64_t repeat = 1;
    double repeat_delay = 0;
    double timeout = 30;
};

/// Publishes in order and keeps account. A window of messages is open at a time, so that input of any length takes
/// bounded memory, and the queue of the connection never overflows.
class Publisher {
public:
    Publisher(Connection& connection, Context& context, const PubArguments& a, std::string topic)
        : connection_(connection), context_(context), topic_(std::move(topic)),
          timeout_(to_duration(a.timeout)), options_{.qos = static_cast<QoS>(a.qos),
                                                     .retain = a.retain,
                                                     .properties = context.plan.publish_properties} {}

    void publish(Octets payload) {
        ++count_;
        if (options_.qos == QoS::at_most_once) return publish_unacknowledged(payload);
        while (!open_.empty() && (open_.size() >= window_messages || open_octets_ + payload.size() > window_octets))
            await_oldest();
        open_octets_ += payload.size();
        open_.push_back({connection_.publish(topic_, payload, options_), payload.size()});
    }

    void await_all() {
        while (!open_.empty()) await_oldest();
    }

    /// Nobody answers any more: it makes no sense to go on.
    bool hopeless() const noexcept { return hopeless_; }

    /// After the connection has ended: QoS 0 that could not be sent is known only then.
    ExitCode account() {
        const auto state = context_.watch.state();
        if (failed_ == 0 && options_.qos == QoS::at_most_once && state.undelivered > 0) {
            failed_ = state.undelivered;
            first_ = explain_publish(state.first_undelivered, state.first_undelivered_topic, connection_.error());
        }
        if (failed_ == 0) return success;
        context_.report.error(
            count_ == 1 ? first_.text
                        : fmt::format("{} of {} messages not delivered; the first: {}", failed_, count_, first_.text));
        return first_.code;
    }

private:
    struct Open {
        Delivery delivery;
        std::size_t octets;
    };
    static constexpr std::size_t window_messages = 1000;
    static constexpr std::size_t window_octets = 16u << 20;

    /// A QoS 0 message is answered when the connection took it. If its queue is full, the network is slower than the
    /// input: wait.
    void publish_unacknowledged(Octets payload) {
        const auto give_up = Bell::Clock::now() + timeout_;
        while (true) {
            const auto result = connection_.publish(topic_, payload, options_).wait(timeout_);
            if (!result && result.error().code == Errc::queue_full && Bell::Clock::now() < give_up) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                continue;
            }
            return ended(result);
        }
    }

    void await_oldest() {
        const auto open = std::move(open_.front());
        open_.pop_front();
        open_octets_ -= open.octets;
        ended(open.delivery.wait(hopeless_ ? tortoise::Duration::zero() : timeout_));
    }

    void ended(const Result<Receipt>& result) {
        if (result) {
            if (context_.report.debugging())
                context_.report.debug(fmt::format("delivered to {} (QoS {}, {})", topic_, static_cast<int>(result->qos),
                                                  to_string(result->reason)));
            return;
        }
        hopeless_ = hopeless_ || result.error().code == Errc::timeout || result.error().code == Errc::stopped;
        if (failed_++ == 0) first_ = explain_publish(result.error(), topic_, connection_.error());
    }

    Connection& connection_;
    Context& context_;
    const std::string topic_;
    const tortoise::Duration timeout_;
    const tortoise::PublishOptions options_;
    std::deque<Open> open_;
    std::size_t open_octets_ = 0;
    std::uint64_t count_ = 0, failed_ = 0;
    bool hopeless_ = false;
    Verdict first_ = {success, ""};
};

/// A message per line; an error is of reading.
Result<tortoise::Done> publish_lines(Publisher& publisher) {
    Lines lines(STDIN_FILENO);
    while (!publisher.hopeless()) {
        const auto line = lines.next();
        if (!line) return line.error();
        if (!*line) break;
        publisher.publish(**line);
    }
    return tortoise::Done{};
}

void publish_repeatedly(Publisher& publisher, const PubArguments& a, Octets payload) {
    for (std::uint64_t i = 0; i < a.repeat && !publisher.hopeless(); ++i) {
        if (i > 0 && a.repeat_delay > 0) {
            publisher.await_all();
            std::this_thread::sleep_for(to_duration(a.repeat_delay));
        }
        publisher.publish(payload);
    }
}

/// What is wrong with the command line, if anything.
std::optional<std::string> complaint(const PubArguments& a, const std::string& topic) {
    const int sources = a.message.has_value() + a.file.has_value() + a.lines + a.nothing + a.whole_input;
    if (sources != 1)
        return "give one message: -m MESSAGE, -f FILE, -l (a message per line), -s (standard input) or -n (empty)";
    if (topic.empty()) return "give a topic: -t TOPIC";
    if (const auto checked = tortoise::check_topic(topic); !checked)
        return fmt::format("not a topic to publish to: '{}': {}", topic, checked.error().text);
    if (a.repeat != 1 && a.lines) return "--repeat does not go with -l";
    return std::nullopt;
}

/// The payload of -m, -f, -n or -s; nothing for -l.
Result<std::string> whole_payload(const PubArguments& a) {
    if (a.file) return read_file(*a.file);
    if (a.whole_input) return read_all(STDIN_FILENO, "standard input");
    return a.message.value_or(std::string());
}

int run_pub(const PubArguments& a) {
    Report report("tortoise pub");
    report.set(a.connect.quiet, a.connect.debug);
    auto plan = plan_connection(a.connect);
    if (!plan) return report.usage(plan.error().text), bad_usage;
    const auto topic = a.topic.empty() ? plan->topic : a.topic;
    if (const auto text = complaint(a, topic)) return report.usage(*text), bad_usage;
    const auto payload = whole_payload(a);
    if (!payload) return report.error(payload.error().text), failed_here;

    Context context{.report = report, .plan = *plan, .retry = a.connect.retry};
    auto options = plan->options;
    options.handler = tortoise::make_handler<ClientHandler>(&context);
    options.queue.bytes = 2 * largest_payload; // the Publisher bounds what is open
    Connection connection(std::move(options));
    if (const auto code = wait_until_up(connection, context, first_attempt_over(a.connect))) return *code;

    Publisher publisher(connection, context, a, topic);
    Result<tortoise::Done> read = tortoise::Done{};
    if (a.lines)
        read = publish_lines(publisher);
    else
        publish_repeatedly(publisher, a, *payload);
    publisher.await_all();
    const auto drain = publisher.hopeless() ? tortoise::Duration::zero() : to_duration(a.timeout);
    static_cast<void>(connection.stop(drain).wait(drain + std::chrono::seconds(1)));
    if (!read) report.error(read.error().text);
    const auto code = publisher.account();
    return code == success && !read ? failed_here : code;
}

constexpr const char* examples = "Examples:\n"
                                 "  tortoise pub -t rooms/hall/temp -m 21.5\n"
                                 "  tortoise pub -h broker.example -t door/front -m open -q 2 -r\n"
                                 "  tortoise pub -t photos/1 -f photo.jpg -q 1 -D publish content-type image/jpeg\n"
                                 "  sensors | tortoise pub -t sensors -l -q 1\n"
                                 "  tortoise pub -L mqtt://anna:secret@broker.example/rooms/hall -m on\n\n";

} // namespace

Command add_pub(CLI::App& app) {
    auto& sub = *app.add_subcommand("pub", "Publish messages, and end when they are delivered");
    const auto a = std::make_shared<PubArguments>();
    sub.set_help_flag("--help", "print this help");
    sub.footer(std::string(property_help_connect) + property_help_publish + "\n" + examples + pub_exit_codes);
    const auto message = "Message";
    sub.add_option("-t,--topic", a->topic, "where to publish")->option_text("TOPIC")->group(message);
    sub.add_option("-m,--message", a->message, "the message")->option_text("MESSAGE")->group(message);
    sub.add_option("-f,--file", a->file, "the message is the content of a file")->option_text("FILE")->group(message);
    sub.add_flag("-l,--stdin-line", a->lines, "a message per line of standard input")->group(message);
    sub.add_flag("-s,--stdin-file", a->whole_input, "the message is all of standard input")->group(message);
    sub.add_flag("-n,--null-message", a->nothing, "an empty message")->group(message);
    sub.add_option("-q,--qos", a->qos, "0 at most once, 1 at least once, 2 exactly once (0)")
        ->option_text("QOS")
        ->group(message)
        ->check(qos_level());
    sub.add_flag("-r,--retain", a->retain, "the broker keeps it for later subscribers")->group(message);
    sub.add_option("--repeat", a->repeat, "publish it N times (1)")
        ->option_text("N")
        ->group(message)
        ->check(whole_number(1, 1'000'000'000'000));
    sub.add_option("--repeat-delay", a->repeat_delay, "seconds between a delivery and the next publish (0)")
        ->option_text("S")
        ->group(message)
        ->check(seconds());
    sub.add_option("--timeout", a->timeout, "how long to wait for the delivery of a message, in seconds (30)")
        ->option_text("S")
        ->group(message)
        ->check(seconds());
    add_connect_options(sub, a->connect);
    return {&sub, [a] { return run_pub(*a); }};
}

} // namespace cli
