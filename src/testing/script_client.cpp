#include "testing/script_client.hpp"
#include <algorithm>
#include <utility>

namespace tortoise::testing {

namespace {
constexpr std::size_t most_waiting = 10'000; // packets; with more, the client has to wait until some were taken
constexpr int reads_per_turn = 16;
} // namespace

ScriptClient::ScriptClient(io::Loop& loop, std::shared_ptr<io::Stream> stream, Transcript& transcript,
                           Fn<void()> changed)
    : loop_(loop), stream_(std::move(stream)), transcript_(transcript), changed_(std::move(changed)) {}

ScriptClient::~ScriptClient() {
    if (stream_) stream_->close();
}

void ScriptClient::start() {
    transcript_.note(stream_->peer() + " connected");
    stream_->tell(this);
    await_input();
}

// ---- Reading -------------------------------------------------------------------------------------------------------

void ScriptClient::await_input() {
    if (reading_ || ended_ || !stream_ || arrived_.size() >= most_waiting) return;
    reading_ = true;
    stream_->await_readable();
}

void ScriptClient::pump() {
    for (int i = 0; i < reads_per_turn && stream_ && !ended_ && arrived_.size() < most_waiting; ++i) {
        const auto room = loop_.read_buffer();
        auto got = stream_->read(room.data(), room.size());
        if (got.state == io::Transfer::blocked) return;
        if (got.state == io::Transfer::failed) return end(std::move(got.error.text), false);
        decode(Octets(room.data(), got.size));
    }
}

void ScriptClient::decode(Octets octets) {
    reader_.feed(octets);
    while (!ended_) {
        const auto frame = reader_.next();
        if (!frame) return end(hexadecimal(octets) + ", which is no packet: " + frame.error().describe(), true);
        if (!*frame) return;
        const auto packet = core::decode(version_, **frame);
        if (!packet)
            return end(hexadecimal((*frame)->whole) + ", which is no packet: " + packet.error().describe(), true);
        if (const auto* connect = std::get_if<core::Connect>(&*packet)) version_ = connect->version;
        transcript_.received(*packet);
        arrived_.emplace_back(*packet);
    }
}

void ScriptClient::end(std::string how, bool broke_protocol) {
    transcript_.note(broke_protocol ? "the client sent " + how : how);
    ended_ = std::move(how);
    broke_protocol_ = broke_protocol;
}

KeptPacket ScriptClient::take() {
    auto packet = std::move(arrived_.front());
    arrived_.pop_front();
    await_input();
    return packet;
}

void ScriptClient::readable() {
    const auto self = shared_from_this();
    reading_ = false;
    pump();
    await_input();
    changed_();
}

// ---- Writing -------------------------------------------------------------------------------------------------------

void ScriptClient::write(std::string octets, std::size_t piece) {
    output_ = std::move(octets);
    written_ = 0;
    piece_ = piece;
    write_some();
}

void ScriptClient::write_some() {
    while (writing() && stream_) {
        const auto rest = Octets(output_).substr(written_);
        const auto put = stream_->write(piece_ == 0 ? rest : rest.substr(0, piece_));
        if (put.state == io::Transfer::blocked) return stream_->await_writable();
        written_ += put.state == io::Transfer::failed ? rest.size() : put.size; // reading will tell why it failed
        if (piece_ == 0 || !writing()) continue;
        return loop_.post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->writable();
        });
    }
}

void ScriptClient::writable() {
    const auto self = shared_from_this();
    write_some();
    if (!writing()) changed_();
}

// ---- The end -------------------------------------------------------------------------------------------------------

void ScriptClient::finish() {
    if (stream_) std::exchange(stream_, nullptr)->finish();
}

void ScriptClient::reset() {
    if (stream_) std::exchange(stream_, nullptr)->reset();
}

} // namespace tortoise::testing
