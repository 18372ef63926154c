#include "testing/relay.hpp"
#include <utility>

namespace tortoise::testing {

namespace {
constexpr int moves_per_turn = 16; // then it is the turn of other connections
}

/// The stream to one side.
class Relay::End final : io::Stream::Events {
public:
    End(Relay& relay, Side side) : relay_(relay), side_(side) {}
    ~End() { close(); }
    End(const End&) = delete;
    End& operator=(const End&) = delete;

    void open(std::shared_ptr<io::Stream> stream) {
        stream_ = std::move(stream);
        stream_->tell(this);
    }
    bool is_open() const noexcept { return stream_ != nullptr; }
    void close() {
        if (stream_) std::exchange(stream_, nullptr)->close();
    }

    /// True: there is more to do at once.
    bool write() {
        for (int i = 0; stream_ && !write_blocked_ && i < moves_per_turn; ++i) {
            const auto out = relay_.filter_.output(side_);
            if (out.octets.empty()) return false;
            const auto put = stream_->write(out.singly ? out.octets.substr(0, 1) : out.octets);
            if (put.state == io::Transfer::failed) return lose(), true;
            if (put.state == io::Transfer::blocked) {
                write_blocked_ = true;
                stream_->await_writable();
                return false;
            }
            relay_.filter_.wrote(side_, put.size);
            if (out.singly) return true; // each octet has a turn of its own
        }
        return stream_ && !write_blocked_;
    }
    void read_on() {
        if (!stream_ || reading_ || !relay_.filter_.wants_input(side_)) return;
        reading_ = true;
        stream_->await_readable();
    }
    /// True: it is closed now.
    bool follow_end() {
        const auto how = relay_.filter_.end(side_);
        if (!stream_ || how == FaultFilter::End::open) return false;
        const auto stream = std::exchange(stream_, nullptr);
        if (how == FaultFilter::End::reset)
            stream->reset();
        else
            stream->finish();
        relay_.filter_.closed(io::Loop::now(), side_);
        return true;
    }

private:
    void opened() override {}
    void not_opened(Error) override {}
    void readable() override {
        reading_ = false;
        for (int i = 0; i < moves_per_turn && stream_ && relay_.filter_.wants_input(side_); ++i) {
            const auto room = relay_.loop_.read_buffer();
            const auto got = stream_->read(room.data(), room.size());
            if (got.state == io::Transfer::blocked) break;
            if (got.state == io::Transfer::failed) {
                lose();
                break;
            }
            relay_.filter_.received(io::Loop::now(), side_, Octets(room.data(), got.size));
            if (got.size < room.size()) break;
        }
        relay_.turn();
    }
    void writable() override {
        write_blocked_ = false;
        relay_.turn();
    }
    void lose() {
        close();
        relay_.filter_.closed(io::Loop::now(), side_);
    }

    Relay& relay_;
    const Side side_;
    std::shared_ptr<io::Stream> stream_;
    bool reading_ = false, write_blocked_ = false;
};

Relay::Relay(io::Loop& loop, FaultFilter filter, std::shared_ptr<io::Stream> client, Fn<void()> over)
    : loop_(loop), filter_(std::move(filter)), timer_(loop,
                                                      [this] {
                                                          filter_.elapsed(io::Loop::now());
                                                          turn();
                                                      }),
      over_(std::move(over)) {
    for (const auto side : {Side::client, Side::broker})
        ends_[static_cast<std::size_t>(side)] = std::make_unique<End>(*this, side);
    end(Side::client).open(std::move(client));
    end(Side::client).read_on();
}

Relay::~Relay() = default;

void Relay::join(std::shared_ptr<io::Stream> broker) {
    if (broker)
        end(Side::broker).open(std::move(broker));
    else
        filter_.closed(io::Loop::now(), Side::broker);
    turn();
}

void Relay::turn() {
    filter_.elapsed(io::Loop::now());
    bool more = false;
    for (const auto side : {Side::client, Side::broker}) more |= end(side).write();
    while (end(Side::client).follow_end() || end(Side::broker).follow_end()) continue; // one may follow from the other
    if (!end(Side::client).is_open() && !end(Side::broker).is_open()) {
        timer_.disarm();
        if (over_) std::exchange(over_, nullptr)(); // the end of this, perhaps
        return;
    }
    for (const auto side : {Side::client, Side::broker}) end(side).read_on();
    if (more)
        timer_.arm(io::Loop::now());
    else if (const auto at = filter_.deadline())
        timer_.arm(*at);
    else
        timer_.disarm();
}

Relays::Relays(io::Loop& loop, Faults faults, std::optional<Capture> capture, std::size_t most,
               std::size_t maximum_packet_size)
    : loop_(loop), faults_(std::move(faults)), capture_(std::move(capture)), most_(most),
      maximum_packet_size_(maximum_packet_size) {}

Relay* Relays::add(std::shared_ptr<io::Stream> client, std::shared_ptr<void> kept) {
    if (relays_.size() >= most_) {
        client->finish();
        return nullptr;
    }
    FaultFilter filter(io::Loop::now(), faults_, capture_, maximum_packet_size_, client->peer());
    const auto number = next_++;
    auto relay = std::make_shared<Relay>(
        loop_, std::move(filter), std::move(client), [this, number, kept = std::move(kept)]() mutable {
            // Not while it runs.
            loop_.post([relay = std::move(relays_[number]), kept = std::move(kept)] {});
            relays_.erase(number);
        });
    return relays_.emplace(number, std::move(relay)).first->second.get();
}

} // namespace tortoise::testing
