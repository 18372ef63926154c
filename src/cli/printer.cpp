#include "printer.hpp"
#include "json.hpp"
#include <fmt/format.h>

namespace cli {

std::string_view Printer::print(const tortoise::MessageView& message) {
    Arrival arrival{message, {}};
    ::clock_gettime(CLOCK_REALTIME, &arrival.at);
    out_.clear();
    if (plan_.format) {
        if (!plan_.format->print(arrival, arguments_.pretty, out_))
            report_.error(fmt::format("the payload is not JSON, on topic {}: use %j", message.topic));
    } else if (arguments_.json) {
        out_ += message_json(arrival, arguments_.pretty);
    } else if (arguments_.verbose) {
        out_.append(message.topic).append(" ");
        if (message.payload.empty())
            out_ += "(null)"; // as mosquitto_sub has it
        else
            out_ += message.payload;
    } else {
        out_ += message.payload;
    }
    if (!arguments_.no_newline) out_ += '\n';
    return out_;
}

} // namespace cli
