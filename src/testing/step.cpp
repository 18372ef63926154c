#include "testing/step.hpp"

namespace tortoise::testing {

namespace {

struct Describe {
    const Transcript& transcript;

    std::string operator()(const Expectation& e) const { return "expected: " + e.text; }
    std::string operator()(const step::ExpectClose&) const { return "expected: the end of the connection"; }
    std::string operator()(const step::Silence&) const { return "expected: nothing, until a gate is open"; }
    std::string operator()(const step::Accept&) const { return "expected: a client"; }
    std::string operator()(const step::Send& send) const {
        std::string text = "to send: ";
        for (const auto& part : send.parts) {
            if (&part != &send.parts.front()) text += ", ";
            if (const auto* packet = std::get_if<KeptPacket>(&part))
                text += transcript.print(packet->packet());
            else
                text += hexadecimal(std::get<Raw>(part).octets);
        }
        return text;
    }
    std::string operator()(const step::Reply&) const { return "to send: a reply"; }
    std::string operator()(const step::Split&) const { return "to split what is sent"; }
    std::string operator()(const step::Close&) const { return "to close the connection"; }
    std::string operator()(const step::Drop&) const { return "to drop the connection"; }
    std::string operator()(const step::Await&) const { return "to wait for a gate"; }
    std::string operator()(const step::Open&) const { return "to open a gate"; }
    std::string operator()(const step::Call&) const { return "to call a function"; }
};

} // namespace

std::string describe(const Step& step, const Transcript& transcript) {
    return std::visit(Describe{transcript}, step.action);
}

} // namespace tortoise::testing
