#include "testing/fault_words.hpp"
#include <algorithm>
#include <array>
#include <charconv>
#include <tortoise/core/codec.hpp>
#include <tortoise/topic.hpp>
#include <utility>
#include <vector>

namespace tortoise::testing {

namespace {

using core::PacketType;
using Action = Fault::Action;
using std::string_view;

// ---- The words -----------------------------------------------------------------------------------------------------

constexpr std::array<std::pair<string_view, Action>, 14> actions = {{
    {"drop", Action::drop},
    {"delay", Action::delay},
    {"slow", Action::delay},
    {"duplicate", Action::duplicate},
    {"reorder", Action::reorder},
    {"change-id", Action::change_id},
    {"refuse", Action::refuse},
    {"cut", Action::cut},
    {"stall", Action::stall},
    {"byte-by-byte", Action::byte_by_byte},
    {"reset", Action::reset},
    {"half-open", Action::half_open},
    {"session-present", Action::session_present},
    {"receive-maximum", Action::receive_maximum},
}};

constexpr std::array<std::pair<string_view, Duration>, 4> units = {{
    {"us", std::chrono::microseconds(1)},
    {"ms", std::chrono::milliseconds(1)},
    {"s", std::chrono::seconds(1)},
    {"min", std::chrono::minutes(1)},
}};

constexpr string_view selectors = "to, on, qos, client, connection, nth, every, first, from, chance, seed";

template <class Table> std::string names_of(const Table& table) {
    std::string names;
    for (const auto& [name, value] : table) names.append(names.empty() ? "" : ", ").append(name);
    return names;
}

string_view name_of(Action action) {
    for (const auto& [name, value] : actions)
        if (value == action) return name;
    return {};
}

bool same_letters(string_view a, string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

constexpr unsigned last_type = static_cast<unsigned>(PacketType::auth);

std::optional<PacketType> packet_named(string_view word) {
    for (unsigned i = 1; i <= last_type; ++i)
        if (same_letters(word, core::to_string(static_cast<PacketType>(i)))) return static_cast<PacketType>(i);
    return std::nullopt;
}

std::string packet_names() {
    std::string names;
    for (unsigned i = 1; i <= last_type; ++i)
        names.append(names.empty() ? "" : ", ").append(core::to_string(static_cast<PacketType>(i)));
    return names;
}

/// The specification's name with hyphens for its blanks.
std::string word_for(Reason reason) {
    std::string word(to_string(reason));
    std::ranges::replace(word, ' ', '-');
    return word;
}

std::optional<Reason> reason_named(string_view word) {
    unsigned number = 0;
    const bool hexadecimal = word.starts_with("0x");
    const auto digits = word.substr(hexadecimal ? 2 : 0);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number, hexadecimal ? 16 : 10);
    const bool is_number = error == std::errc() && end == digits.data() + digits.size() && number < 256;
    for (unsigned code = 0x80; code < 256; ++code) {
        const auto reason = static_cast<Reason>(code);
        if (to_string(reason) == "unknown reason code") continue;
        if (is_number ? number == code : same_letters(word, word_for(reason))) return reason;
    }
    return std::nullopt;
}

template <class Number> bool read(string_view text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::optional<Duration> time_named(string_view word) {
    const auto unit = word.find_first_not_of("0123456789");
    std::uint32_t count = 0;
    if (unit == string_view::npos || !read(word.substr(0, unit), count)) return std::nullopt;
    for (const auto& [name, length] : units)
        if (word.substr(unit) == name) return count * length;
    return std::nullopt;
}

std::string in_words(Duration time) {
    for (auto unit = units.rbegin(); unit != units.rend(); ++unit)
        if (time % unit->second == Duration::zero())
            return std::to_string(time / unit->second) + std::string(unit->first);
    return std::to_string(time.count() / 1000) + "us";
}

// ---- From words to a rule ------------------------------------------------------------------------------------------

class Parser {
public:
    explicit Parser(string_view text) : text_(text) {}

    Result<Fault> parse() {
        auto rest = text_;
        if (!action(next(rest))) return *std::move(wrong_);
        for (auto word = next(rest); !word.empty() && !wrong_; word = next(rest)) this->word(word);
        if (wrong_) return *std::move(wrong_);
        auto whole = complete(std::move(fault_));
        if (whole) return whole;
        return make_error(Errc::invalid_option, quoted() + whole.error().text);
    }

private:
    static string_view next(string_view& rest) {
        constexpr string_view blank = " \t\r\n";
        rest.remove_prefix(std::min(rest.find_first_not_of(blank), rest.size()));
        const auto word = rest.substr(0, rest.find_first_of(blank));
        rest.remove_prefix(word.size());
        return word;
    }
    std::string quoted() const { return "fault '" + std::string(text_) + "': "; }
    bool wrong(const std::string& what) {
        if (!wrong_) wrong_ = make_error(Errc::invalid_option, quoted() + what);
        return false;
    }
    bool wrong(string_view word, const std::string& is, const std::string& allowed) {
        return wrong("'" + std::string(word) + "' is " + is + "; allowed: " + allowed);
    }

    bool action(string_view word) {
        const auto name = word.substr(0, word.find('='));
        const auto found = std::ranges::find(actions, name, [](const auto& row) { return row.first; });
        if (found == actions.end()) return wrong(word, "no action", names_of(actions));
        fault_.action = found->second;
        const bool takes = fault_.action == Action::session_present || fault_.action == Action::receive_maximum;
        if (name.size() == word.size()) return !takes || wrong(std::string(name) + " takes a number: " + example());
        if (!takes) return wrong(word, "no action", names_of(actions));
        return number(word, word.substr(name.size() + 1), 0, 65'535);
    }
    std::string example() const {
        return fault_.action == Action::session_present ? "session-present=0 or session-present=1"
                                                        : "receive-maximum=10";
    }

    bool word(string_view word) {
        if (const auto sign = word.find('='); sign != string_view::npos)
            return assign(word, word.substr(0, sign), word.substr(sign + 1));
        if (const auto time = time_named(word)) return fault_.time = *time, true;
        if (word.front() >= '0' && word.front() <= '9')
            return wrong(word, "no time", "a whole number and " + names_of(units) + ", such as 200ms");
        const auto packet = packet_named(word);
        if (!packet) return wrong(word, "no packet", packet_names());
        if (fault_.packet)
            return wrong("'" + std::string(word) + "' is a second packet; a rule has one, or none for any");
        fault_.packet = packet;
        return true;
    }

    bool assign(string_view word, string_view name, string_view value) {
        if (name == "to") return side(word, value);
        if (name == "on") return fault_.on = value, !value.empty() || wrong(word, "no filter", "on=rooms/#");
        if (name == "client") return fault_.client = value, !value.empty() || wrong(word, "no client", "client=door");
        if (name == "qos") return qos(word, value);
        if (name == "connection") return count(word, value, fault_.connection, std::uint32_t{1});
        if (name == "nth") return count(word, value, fault_.nth, std::uint64_t{1});
        if (name == "every") return count(word, value, fault_.every, std::uint64_t{1});
        if (name == "first") return count(word, value, fault_.first, std::uint64_t{1});
        if (name == "from") return count(word, value, fault_.from, std::uint64_t{1});
        if (name == "seed") return count(word, value, fault_.seed, std::uint64_t{0});
        if (name == "chance") return chance(word, value);
        if (name == "reason" && fault_.action == Action::refuse) return reason(word, value);
        if (name == "id" && fault_.action == Action::change_id) return number(word, value, 1, 65'535);
        if (name == "at" && fault_.action == Action::cut) return number(word, value, 0, 268'435'460);
        return wrong(word, "not known here", std::string(selectors) + own_names());
    }
    std::string own_names() const {
        switch (fault_.action) {
        case Action::refuse: return "; and reason";
        case Action::change_id: return "; and id";
        case Action::cut: return "; and at";
        default: return {};
        }
    }

    bool side(string_view word, string_view value) {
        if (value != "client" && value != "broker") return wrong(word, "no side", "to=client, to=broker");
        fault_.to = value == "client" ? Side::client : Side::broker;
        return true;
    }
    bool qos(string_view word, string_view value) {
        if (value != "0" && value != "1" && value != "2") return wrong(word, "no QoS", "qos=0, qos=1, qos=2");
        fault_.qos = static_cast<QoS>(value.front() - '0');
        return true;
    }
    template <class Number> bool count(string_view word, string_view value, Number& into, Number least) {
        if (read(value, into) && into >= least) return true;
        return wrong(word, "no count", "a whole number from " + std::to_string(least));
    }
    bool chance(string_view word, string_view value) {
        if (read(value, fault_.chance) && fault_.chance > 0 && fault_.chance <= 1) return true;
        return wrong(word, "no chance", "above 0, at most 1, such as chance=0.05");
    }
    bool reason(string_view word, string_view value) {
        const auto found = reason_named(value);
        if (!found) return wrong(word, "no refusal", "the name or number of one, such as not-authorized or 0x87");
        fault_.reason = *found;
        return true;
    }
    bool number(string_view word, string_view value, std::uint32_t least, std::uint32_t greatest) {
        std::uint32_t found = 0;
        if (!read(value, found) || found < least || found > greatest)
            return wrong(word, "no number", std::to_string(least) + " to " + std::to_string(greatest));
        fault_.number = found;
        return true;
    }

    const string_view text_;
    Fault fault_;
    std::optional<Error> wrong_;
};

// ---- What makes sense ----------------------------------------------------------------------------------------------

bool has_id(PacketType type) {
    switch (type) {
    case PacketType::connect:
    case PacketType::connack:
    case PacketType::pingreq:
    case PacketType::pingresp:
    case PacketType::disconnect:
    case PacketType::auth: return false;
    default: return true;
    }
}

/// The request that is refused; its answer may be named instead.
std::optional<PacketType> refused_request(Fault& fault) {
    switch (fault.packet.value_or(PacketType::pingreq)) {
    case PacketType::connect:
    case PacketType::connack: return PacketType::connect;
    case PacketType::puback: fault.qos = QoS::at_least_once; return PacketType::publish;
    case PacketType::pubrec: fault.qos = QoS::exactly_once; return PacketType::publish;
    case PacketType::publish: return PacketType::publish;
    case PacketType::subscribe:
    case PacketType::suback: return PacketType::subscribe;
    case PacketType::unsubscribe:
    case PacketType::unsuback: return PacketType::unsubscribe;
    default: return std::nullopt;
    }
}

core::Packet example_of(PacketType request) {
    switch (request) {
    case PacketType::connect: return core::Connect{};
    case PacketType::subscribe: return core::Subscribe{.id = 1, .entries = {{"a", {}}}};
    case PacketType::unsubscribe: return core::Unsubscribe{.id = 1, .filters = {"a"}};
    default: return core::Publish{.id = 1, .topic = "a", .qos = QoS::at_least_once};
    }
}

/// What is wrong; empty: nothing.
std::string complete_refuse(Fault& fault) {
    const auto request = refused_request(fault);
    if (!request) return "refuse takes what is refused: CONNECT, PUBLISH, SUBSCRIBE or UNSUBSCRIBE, or its answer";
    if (!is_refusal(fault.reason)) return "refuse takes a reason from 0x80";
    std::string encoded;
    if (const auto answer = core::encode(Version::v5, refusal(example_of(*request), fault.reason), encoded); !answer)
        return "reason=" + word_for(fault.reason) + ": " + answer.error().text;
    fault.packet = request;
    fault.to = Side::broker;
    return {};
}

std::string complete_connack(Fault& fault, std::uint32_t least, std::uint32_t greatest) {
    const std::string name(name_of(fault.action));
    if (fault.packet.value_or(PacketType::connack) != PacketType::connack) return name + " is about CONNACK only";
    if (!fault.number || *fault.number < least || *fault.number > greatest)
        return name + " takes a number from " + std::to_string(least) + " to " + std::to_string(greatest);
    fault.packet = PacketType::connack;
    return {};
}

std::string complete_action(Fault& fault) {
    const bool timed =
        fault.action == Action::delay || fault.action == Action::stall || fault.action == Action::reorder;
    if (fault.time < Duration::zero() || (!timed && fault.time > Duration::zero()))
        return std::string(name_of(fault.action)) + " takes no time";
    switch (fault.action) {
    case Action::delay: return fault.time > Duration::zero() ? "" : "delay takes a time, such as 200ms";
    case Action::reorder:
        if (fault.time == Duration::zero()) fault.time = std::chrono::seconds(1);
        return fault.packet ? "" : "reorder takes a packet, such as PUBACK";
    case Action::change_id:
        return !fault.packet || has_id(*fault.packet) ? "" : "change-id takes a packet that has an identifier";
    case Action::refuse: return complete_refuse(fault);
    case Action::session_present: return complete_connack(fault, 0, 1);
    case Action::receive_maximum: return complete_connack(fault, 1, 65'535);
    default: return {};
    }
}

} // namespace

core::Packet refusal(const core::Packet& request, Reason reason) {
    if (std::holds_alternative<core::Connect>(request)) return core::Connack{.reason = reason};
    if (const auto* p = std::get_if<core::Subscribe>(&request))
        return core::Suback{.id = p->id, .reasons = std::vector(p->entries.size(), reason)};
    if (const auto* p = std::get_if<core::Unsubscribe>(&request))
        return core::Unsuback{.id = p->id, .reasons = std::vector(p->filters.size(), reason)};
    const auto& publish = std::get<core::Publish>(request);
    const auto type = publish.qos == QoS::exactly_once ? PacketType::pubrec : PacketType::puback;
    return core::Ack{.type = type, .id = publish.id, .reason = reason};
}

Result<Fault> complete(Fault fault) {
    if (auto wrong = complete_action(fault); !wrong.empty()) return make_error(Errc::invalid_option, std::move(wrong));
    if (fault.every == 0 || fault.from == 0)
        return make_error(Errc::invalid_option, "every and from are counted from 1");
    if (!(fault.chance > 0 && fault.chance <= 1))
        return make_error(Errc::invalid_option, "a chance is above 0, and at most 1");
    if (!fault.on.empty())
        if (const auto filter = check_filter(fault.on); !filter)
            return make_error(Errc::invalid_option, "on=" + fault.on + ": " + filter.error().describe());
    return fault;
}

Result<Fault> parse_fault(string_view words) { return Parser(words).parse(); }

std::string to_string(const Fault& fault) {
    std::string words(name_of(fault.action));
    const auto add = [&](string_view name, const std::string& value) {
        words.append(" ").append(name).append("=").append(value);
    };
    if (fault.action == Action::session_present || fault.action == Action::receive_maximum)
        words += "=" + std::to_string(fault.number.value_or(0));
    else if (fault.packet)
        words.append(" ").append(core::to_string(*fault.packet));
    if (fault.time != Duration::zero()) words += " " + in_words(fault.time);
    if (fault.action == Action::refuse) add("reason", word_for(fault.reason));
    if (fault.action == Action::change_id && fault.number) add("id", std::to_string(*fault.number));
    if (fault.action == Action::cut && fault.number) add("at", std::to_string(*fault.number));
    if (fault.to && fault.action != Action::refuse) add("to", *fault.to == Side::client ? "client" : "broker");
    if (!fault.on.empty()) add("on", fault.on);
    if (fault.qos) add("qos", std::to_string(static_cast<unsigned>(*fault.qos)));
    if (!fault.client.empty()) add("client", fault.client);
    if (fault.connection != 0) add("connection", std::to_string(fault.connection));
    if (fault.nth != 0) add("nth", std::to_string(fault.nth));
    if (fault.every != 1) add("every", std::to_string(fault.every));
    if (fault.first != 0) add("first", std::to_string(fault.first));
    if (fault.from != 1) add("from", std::to_string(fault.from));
    if (fault.chance < 1) {
        std::array<char, 32> text = {};
        const auto written = std::to_chars(text.data(), text.data() + text.size(), fault.chance);
        add("chance", std::string(text.data(), written.ptr));
        add("seed", std::to_string(fault.seed));
    }
    return words;
}

} // namespace tortoise::testing
