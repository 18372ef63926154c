// Following a Server Reference. [MQTT-4.11]
#include "client/core.hpp"

namespace tortoise {

/// True if the next attempt is made at once, with the server that was named. Otherwise, if one was named, the error
/// says why.
bool Connection::Core::follow_reference(core::Down& event) {
    const bool moved = event.why.code == Reason::server_moved;
    const auto reference = event.properties.view().get(property::server_reference);
    if (!moved && event.why.code != Reason::use_another_server) {
        hops_ = 0;
        return false;
    }
    if (!reference || !event.retry_in || redirects_.at_most == 0) return false;
    if (event.was_up && io::Loop::now() - up_since_ >= redirects_.stable_after) hops_ = 0;
    const auto refuse = [&](const std::string& why) {
        hops_ = 0; // the next attempt is made after the backoff
        event.why.text += (event.why.text.empty() ? "" : "; ") + why;
        return false;
    };
    auto url = io::referred(*reference, driver_->endpoint());
    if (!url) return refuse(url.error().text);
    if (url->secure() && !redirects_.secure)
        return refuse("the Server Reference leads to TLS, for which no server was given");
    if (redirects_.own_transport) return refuse("a Server Reference is not followed over a transport of one's own");
    if (hops_ == redirects_.at_most)
        return refuse("sent on for the " + std::to_string(hops_ + 1) + ". time in a row, to " + url->to_string() +
                      "; max_redirects is " + std::to_string(redirects_.at_most));
    ++hops_;
    meters_.redirects.add();
    driver_->redirect(std::move(*url), moved);
    event.retry_in = Duration(0);
    return true;
}

} // namespace tortoise
