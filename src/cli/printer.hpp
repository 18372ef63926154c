#pragma once
// What sub prints of a message.

#include "report.hpp"
#include "sub_arguments.hpp"

namespace cli {

/// Turns messages into octets of standard output.
class Printer {
public:
    Printer(const SubArguments& a, const SubPlan& plan, const Report& report)
        : arguments_(a), plan_(plan), report_(report) {}

    /// Valid until the next call.
    std::string_view print(const tortoise::MessageView&);

private:
    const SubArguments& arguments_;
    const SubPlan& plan_;
    const Report& report_;
    std::string out_;
};

} // namespace cli
