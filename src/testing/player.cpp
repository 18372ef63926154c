#include "testing/player.hpp"
#include <exception>
#include <utility>

namespace tortoise::testing {

namespace {
constexpr std::size_t most_clients_waiting = 64;

std::string file_name(const char* path) {
    const std::string_view whole(path);
    return std::string(whole.substr(whole.rfind('/') + 1));
}
} // namespace

Player::Player(io::Loop& loop, Layers layers, bool show_payloads, Progress progress)
    : loop_(loop), layers_(std::move(layers)), transcript_(show_payloads), progress_(std::move(progress)) {}

Result<std::uint16_t> Player::listen(const Place& place) {
    auto acceptor = testing::listen(loop_, place, [this](std::shared_ptr<io::Stream> s) { welcome(std::move(s)); });
    if (!acceptor) return acceptor.error();
    acceptor_ = std::move(*acceptor);
    return acceptor_->port();
}

// ---- Clients -------------------------------------------------------------------------------------------------------

void Player::welcome(std::shared_ptr<io::Stream> stream) {
    if (waiting_.size() >= most_clients_waiting) return stream->close();
    waiting_.push_back(layers_.over(loop_, std::move(stream)));
    advance();
}

void Player::serve_next() {
    received_.clear();
    last_id_ = 0;
    auto stream = std::move(waiting_.front());
    waiting_.pop_front();
    client_ = std::make_shared<ScriptClient>(loop_, std::move(stream), transcript_, [this] { advance(); });
    client_->start();
}

bool Player::has_client() {
    if (!client_ && !waiting_.empty()) serve_next();
    return client_ != nullptr;
}

void Player::let_go() {
    if (client_) client_->reset();
    client_.reset();
}

// ---- The steps -----------------------------------------------------------------------------------------------------

void Player::add(Step step) {
    steps_.push_back(std::move(step));
    advance();
}

void Player::advance() {
    if (std::exchange(advancing_, true)) return;
    while (!failure_ && done_ < steps_.size() && perform(steps_[done_])) ++done_;
    advancing_ = false;
    progress_(done_, failure_);
}

bool Player::perform(Step& step) {
    return std::visit([this](auto& action) { return on(action); }, step.action);
}

bool Player::on(Expectation& expected) {
    if (!has_client()) return false;
    if (!client_->has_packets()) return client_->ended() ? fail("arrived:  nothing; " + *client_->ended()) : false;
    auto packet = client_->take();
    if (const auto fault = expected.fault(packet.packet())) {
        const auto remark = fault->empty() ? "" : "\n            " + *fault;
        return fail("arrived:  " + transcript_.print(packet.packet()) + remark);
    }
    if (const auto id = id_of(packet.packet()); id != 0) last_id_ = id;
    received_.push_back(std::move(packet));
    return true;
}

bool Player::on(step::ExpectClose&) {
    if (!has_client()) return false;
    if (client_->has_packets()) return fail("arrived:  " + transcript_.print(client_->take().packet()));
    if (!client_->ended()) return false;
    if (client_->broke_protocol()) return fail("arrived:  " + *client_->ended());
    client_.reset();
    return true;
}

// What was sent before the gate was opened is in the socket by then, and has to be looked at before it counts as
// silence.
bool Player::on(step::Silence& silence) {
    if (!has_client()) return false;
    const bool over = is_open(silence.until);
    if (over) client_->pump();
    if (client_->has_packets()) return fail("arrived:  " + transcript_.print(client_->take().packet()));
    if (client_->ended()) return fail("arrived:  nothing, but " + *client_->ended());
    return over;
}

bool Player::on(step::Accept&) {
    if (waiting_.empty()) return false;
    let_go();
    serve_next();
    return true;
}

bool Player::on(step::Send& send) {
    if (!has_client()) return false;
    if (std::exchange(send.begun, true)) return !client_->writing();
    std::string octets;
    for (const auto& part : send.parts) {
        if (const auto* raw = std::get_if<Raw>(&part)) {
            octets += raw->octets;
            transcript_.sent(hexadecimal(raw->octets));
        } else if (const auto problem = encode(std::get<KeptPacket>(part).packet(), octets)) {
            return fail(*problem);
        }
    }
    client_->write(std::move(octets), piece_);
    return !client_->writing();
}

bool Player::on(step::Reply& reply) {
    if (!has_client()) return false;
    if (std::exchange(reply.begun, true)) return !client_->writing();
    std::vector<core::Packet> received;
    for (const auto& packet : received_) received.push_back(packet.packet());
    std::string octets;
    std::optional<std::string> problem;
    if (!guarded([&] { problem = encode(reply.make(received), octets); })) return false;
    if (problem) return fail(*problem);
    client_->write(std::move(octets), piece_);
    return !client_->writing();
}

bool Player::on(step::Split& split) {
    piece_ = split.octets;
    return true;
}

bool Player::on(step::Close&) {
    if (!has_client()) return false;
    transcript_.note("the script closed the connection");
    client_->finish();
    client_.reset();
    return true;
}

bool Player::on(step::Drop&) {
    if (!has_client()) return false;
    transcript_.note("the script dropped the connection");
    let_go();
    return true;
}

bool Player::on(step::Await& await) { return is_open(await.gate); }

bool Player::on(step::Open& open) {
    open.gate.open();
    return true;
}

bool Player::on(step::Call& call) { return guarded(call.function); }

/// Calls what is the user's. If that throws, it is a failure.
template <class Function> bool Player::guarded(Function&& function) {
    try {
        function();
        return true;
    } catch (const std::exception& e) {
        return fail(std::string("problem:  it threw: ") + e.what());
    } catch (...) {
        return fail("problem:  it threw something that is not a std::exception");
    }
}

/// If not, it will wake the script.
bool Player::is_open(const Gate& gate) {
    if (gate.is_open()) return true;
    if (std::exchange(steps_[done_].watched, true)) return false;
    gate.on_open([loop = loop_.weak_from_this(), weak = weak_from_this()] {
        const auto alive = loop.lock();
        if (!alive) return;
        alive->post([weak] {
            if (const auto self = weak.lock()) self->advance();
        });
    });
    return false;
}

/// Says what is wrong if it cannot be.
std::optional<std::string> Player::encode(const core::Packet& packet, std::string& into) {
    const auto whole = wants_id(packet) ? with_id(packet, last_id_) : packet;
    if (const auto done = core::encode(client_->version(), whole, into); !done)
        return "problem:  " + transcript_.print(whole) + " cannot be sent: " + done.error().describe();
    transcript_.sent(transcript_.print(whole));
    return std::nullopt;
}

// ---- What is told --------------------------------------------------------------------------------------------------

bool Player::fail(std::string_view problem) {
    failure_ = stands("failed", problem);
    let_go();
    for (const auto& stream : waiting_) stream->reset();
    waiting_.clear();
    acceptor_.reset();
    return false;
}

std::string Player::stands(std::string_view how, std::string_view problem) const {
    const auto& step = steps_[done_];
    std::string text = "step " + std::to_string(done_ + 1) + " (" + file_name(step.where.file_name()) + ":" +
                       std::to_string(step.where.line()) + ") ";
    text.append(how).append("\n  ").append(describe(step, transcript_)).append("\n  ").append(problem);
    return text.append("\nSo far:\n").append(transcript_.text());
}

std::string Player::report() const {
    if (failure_) return *failure_;
    if (done_ == steps_.size()) return "every step is done\nSo far:\n" + transcript_.text();
    const bool served = client_ && !client_->ended();
    return stands("is not done", served ? "arrived:  nothing" : "arrived:  no client");
}

} // namespace tortoise::testing
