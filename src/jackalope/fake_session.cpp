#include "jackalope/fake_office.hpp"

namespace jackalope::testing {

FakeSession::FakeSession(SessionOptions options)
    : office_(tortoise::detail::Ref<Office>::adopt(new Office(std::move(options)))) {}

FakeSession::~FakeSession() {
    try {
        office_->stop({});
    } catch (...) { // what a handler throws now has no call to come out of
    }
    office_->let_go();
}

Session FakeSession::session() const {
    return Session::Office::session(tortoise::detail::Ref<Session::Office>::share(office_.get()));
}

std::vector<FakeSession::Published> FakeSession::published() const { return office_->published(); }
int FakeSession::reconnects() const { return office_->reconnects(); }
void FakeSession::go_online(bool session_present) { office_->go_online(session_present); }
void FakeSession::go_offline(tortoise::Error why) { office_->go_offline(std::move(why)); }
bool FakeSession::receive(std::string_view topic, tortoise::Octets payload, tortoise::QoS qos) {
    return office_->receive(topic, payload, qos);
}
void FakeSession::hold_deliveries() { office_->hold_deliveries(); }
bool FakeSession::deliver_next() { return office_->end_next(std::nullopt); }
bool FakeSession::fail_next(tortoise::Error why) { return office_->end_next(std::move(why)); }
void FakeSession::pass(tortoise::Duration d) { office_->pass(d); }
void FakeSession::refuse_next_subscription(tortoise::Error why) { office_->refuse_next_subscription(std::move(why)); }

} // namespace jackalope::testing
