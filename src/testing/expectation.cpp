#include "testing/expectation.hpp"
#include "testing/kept_packet.hpp"
#include "testing/transcript.hpp"
#include <algorithm>
#include <memory>
#include <utility>

namespace tortoise::testing {

namespace {

using Complaint = std::optional<std::string>;

Complaint fault_if(bool wrong) { return wrong ? Complaint("") : std::nullopt; }

Complaint payload_fault(Octets expected, Octets got) {
    if (expected == got) return std::nullopt;
    const auto both = std::min(expected.size(), got.size());
    const auto differ =
        std::mismatch(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(both), got.begin());
    return "the payloads differ from octet " + std::to_string(differ.first - expected.begin()) + " on";
}

template <class Expected, class Got> bool differs(const std::optional<Expected>& expected, const Got& got) {
    return expected && *expected != got;
}

/// `NAME field=value …` from the fields that have a value.
class Line {
public:
    explicit Line(std::string beginning) : line_(std::move(beginning)) {}
    Line& text(std::string_view name, const std::optional<std::string>& value) {
        return value ? add(name, "\"" + *value + "\"") : *this;
    }
    Line& data(std::string_view name, const std::optional<std::string>& value, bool show) {
        if (show || !value) return text(name, value);
        return add(name, std::to_string(value->size()) + (value->size() == 1 ? " byte" : " bytes"));
    }
    Line& flag(std::string_view name, std::optional<bool> value) {
        return value ? add(name, *value ? "yes" : "no") : *this;
    }
    Line& number(std::string_view name, std::optional<unsigned> value) {
        return value ? add(name, std::to_string(*value)) : *this;
    }
    std::string take() { return std::move(line_); }

private:
    Line& add(std::string_view name, const std::string& value) {
        line_.append(" ").append(name).append("=").append(value);
        return *this;
    }
    std::string line_;
};

} // namespace

Expectation expect_exactly(const core::Packet& packet, bool show_payloads) {
    auto fault = [kept = std::make_shared<KeptPacket>(packet)](const core::Packet& got) -> Complaint {
        const auto& expected = kept->packet();
        const auto arrived = wants_id(expected) ? with_id(got, 0) : got;
        if (arrived == expected) return std::nullopt;
        const auto* a = std::get_if<core::Publish>(&expected);
        const auto* b = std::get_if<core::Publish>(&arrived);
        return a && b ? payload_fault(a->payload, b->payload).value_or("") : "";
    };
    auto text = Transcript(show_payloads).print(packet);
    if (wants_id(packet)) text += " (any identifier)";
    return {std::move(text), std::move(fault)};
}

Expectation expect_type(core::PacketType type) {
    return {std::string(to_string(type)), [type](const core::Packet& got) { return fault_if(type_of(got) != type); }};
}

Expectation expect_anything() {
    return {"a packet, whichever", [](const core::Packet&) { return Complaint(); }};
}

Expectation expect_fields(ConnectFields f) {
    Line line("CONNECT");
    if (f.version) line = Line("CONNECT version=" + std::string(to_string(*f.version)));
    line.text("client_id", f.client_id).flag("clean_start", f.clean_start).number("keep_alive", f.keep_alive);
    line.text("user_name", f.user_name).text("will_topic", f.will_topic);
    auto text = line.take();
    if (f.password) text += " password=(hidden)";
    return {std::move(text), [f = std::move(f)](const core::Packet& got) -> Complaint {
                const auto* p = std::get_if<core::Connect>(&got);
                if (!p) return "";
                if (f.password && p->password != Octets(*f.password)) return "the password is another one, or missing";
                return fault_if(differs(f.version, p->version) || differs(f.client_id, p->client_id) ||
                                differs(f.clean_start, p->clean_start) || differs(f.keep_alive, p->keep_alive) ||
                                (f.user_name && p->user_name != std::string_view(*f.user_name)) ||
                                (f.will_topic && (!p->will || p->will->topic != *f.will_topic)));
            }};
}

Expectation expect_fields(PublishFields f, bool show_payloads) {
    Line line("PUBLISH");
    if (f.qos) line.number("qos", static_cast<unsigned>(*f.qos));
    line.flag("dup", f.duplicate).flag("retain", f.retain).text("topic", f.topic);
    auto text = line.data("payload", f.payload, show_payloads).take();
    return {std::move(text), [f = std::move(f)](const core::Packet& got) -> Complaint {
                const auto* p = std::get_if<core::Publish>(&got);
                if (!p) return "";
                const bool wrong = differs(f.topic, p->topic) || differs(f.qos, p->qos) ||
                                   differs(f.retain, p->retain) || differs(f.duplicate, p->duplicate);
                const auto fault = f.payload ? payload_fault(*f.payload, p->payload) : std::nullopt;
                return fault ? fault : fault_if(wrong);
            }};
}

Expectation expect_filters(std::vector<std::string> filters) {
    if (filters.empty()) return expect_type(core::PacketType::subscribe);
    Line line("SUBSCRIBE");
    for (const auto& filter : filters) line.text("filter", filter);
    return {line.take(), [filters = std::move(filters)](const core::Packet& got) -> Complaint {
                const auto* p = std::get_if<core::Subscribe>(&got);
                return fault_if(!p || !std::equal(filters.begin(), filters.end(), p->entries.begin(), p->entries.end(),
                                                  [](const auto& a, const auto& b) { return a == b.filter; }));
            }};
}

Expectation expect_match(std::string what, Fn<bool(const core::Packet&)> holds) {
    return {std::move(what),
            [holds = std::move(holds)](const core::Packet& got) mutable { return fault_if(!holds(got)); }};
}

} // namespace tortoise::testing
