// What a connection tells those who watch: numbers and events.
#include "client/core.hpp"
#include <algorithm>

namespace tortoise {

namespace {

unsigned quarters_of(std::size_t level, std::size_t bound) {
    if (level >= bound) return level == 0 ? 0 : 4;
    return static_cast<unsigned>(4.0 * static_cast<double>(level) / static_cast<double>(bound));
}

} // namespace

void Connection::Core::drained() {
    const auto& counters = engine().counters();
    meters_.packets_received.set(counters.packets_received);
    meters_.sent_at_most_once.set(counters.sent_at_most_once);
    meters_.resent.set(counters.resent);
    meters_.bytes_sent.set(driver_->sent());
    meters_.bytes_received.set(driver_->received());
    meters_.tls_resumptions.set(driver_->tls_resumptions());
    const auto levels = engine().levels();
    meters_.queued_messages.set(levels.queued);
    meters_.queued_bytes.set(levels.queued_bytes);
    meters_.in_flight.set(levels.in_flight);
    if (listeners_.any<QueueEvent>() && !ended_) tell_queue(levels);
}

void Connection::Core::tell_queue(const core::Levels& levels) {
    const auto quarters =
        std::max(quarters_of(levels.queued, queue_.messages), quarters_of(levels.queued_bytes, queue_.bytes));
    if (std::exchange(quarters_, quarters) == quarters) return;
    const bool before = crashed_;
    tell(QueueEvent{levels.queued, levels.queued_bytes, quarters});
    if (crashed_ != before) wake(); // the driver has done its work, and does not see what a throwing listener left
}

void Connection::Core::tell_error(const Error& error) {
    if (error.code != Errc::stopped && listeners_.any<ErrorEvent>()) tell(ErrorEvent{error});
}

void Connection::Core::count(const Error& why) {
    meters_.undelivered.add();
    if (why.code == Errc::expired)
        meters_.expired.add();
    else if (why.code == Errc::displaced)
        meters_.displaced.add();
    else if (why.code.category() == reason_category())
        meters_.refused.add();
}

} // namespace tortoise
