#include "io/driver.hpp"
#include "core/give_back.hpp"
#include "io/printable.hpp"
#include <algorithm>
#include <chrono>

namespace tortoise::io {

namespace {

constexpr auto flush_limit = std::chrono::seconds(1); // for a peer that does not read what is left at the end
constexpr int reads_per_turn = 16;                    // then it is the turn of others on this loop
constexpr std::size_t keep_capacity = 1024 * 1024;
constexpr std::size_t worth_a_write = 16 * 1024; // what is less is copied, and goes together with what follows

// Buffers of busier times go when those have been over for so long.
constexpr auto quiet_after = std::chrono::seconds(1);
constexpr std::size_t much = 16 * 1024, many_events = 64;

constexpr char connack = 0x20;
constexpr char auth = static_cast<char>(0xF0);

} // namespace

Driver::Driver(Loop& loop, Resolver& resolver, core::Engine engine, std::vector<Url> endpoints, Means means,
               Listener& listener, Keeping keeping)
    : loop_(loop), engine_(std::move(engine)), endpoints_(std::move(endpoints)), listener_(listener),
      connector_(loop, resolver, std::move(means)), timer_(loop, [this] {
          engine_.elapsed(tick());
          drain();
      }) {
    if (keeping.store) {
        keeper_ = std::make_unique<Keeper>(loop, *keeping.store, std::move(keeping.session), [this] {
            listener_.kept();
            drain();
        });
    }
}

Driver::~Driver() { drop_stream(); }

void Driver::drain() {
    if (draining_) return;
    draining_ = true;
    bool more = true;
    while (more) {
        more = handle_events();
        more |= write_output();
        more |= follow_wish();
    }
    if (const auto deadline = engine_.deadline())
        timer_.arm(deadline->at);
    else
        timer_.disarm();
    await_input(); // the user may have made room, also while the peer does not read
    draining_ = false;
    listener_.drained();
    if (!blocked_ && std::exchange(was_blocked_, false)) listener_.unblocked();
}

bool Driver::quiet() const noexcept { return now_ - busy_at_ > quiet_after; }

void Driver::keep_changes() {
    if (!engine_.has_changes()) return;
    std::vector<core::RecordChange> changes;
    const bool first = engine_.take_changes(changes);
    keeper_->write(std::move(changes), first);
}

bool Driver::handle_events() {
    keep_changes();
    if (events_.size() > many_events) busy_at_ = now_;
    events_.clear();
    if (events_.capacity() > many_events && quiet()) core::give_back(events_);
    engine_.take_events(events_);
    for (auto& event : events_) listener_.handle(event);
    return !events_.empty();
}

/// Behind what was taken before; with a store, not to be written before what it depends on is kept.
void Driver::take_output() {
    if (written_ == output_.size()) {
        if (written_ >= much) busy_at_ = now_;
        output_.clear();
        written_ = 0;
        if (output_.capacity() > much && quiet()) core::give_back(output_);
    } else if (written_ > keep_capacity) {
        output_.erase(0, written_);
        for (auto& barrier : barriers_) barrier.from -= written_;
        written_ = 0;
    }
    keep_changes();
    if (!engine_.has_output()) return;
    if (keeper_ && keeper_->needed() > keeper_->kept() &&
        (barriers_.empty() || barriers_.back().write < keeper_->needed()))
        barriers_.push_back({keeper_->needed(), output_.size()});
    engine_.take_output(output_);
}

Octets Driver::writable_output() const noexcept {
    const auto end = barriers_.empty() ? output_.size() : barriers_.front().from;
    return Octets(output_).substr(written_, end - written_);
}

/// How much of it went. If it was not all, either the peer does not read, or there is an error to be told.
std::size_t Driver::write_some(Octets octets) {
    auto put = stream_->write(octets);
    switch (put.state) {
    case Transfer::moved: break;
    case Transfer::blocked:
        blocked_ = was_blocked_ = true;
        stream_->await_writable();
        return 0;
    case Transfer::failed: write_failed_ = std::make_unique<Error>(std::move(put.error)); return 0;
    }
    sent_ += put.size;
    return put.size;
}

bool Driver::pass(core::Time now, const core::PublishRun& run) {
    if (!stream_ || closing_) return false;
    if (engine_.has_output()) take_output();
    if (!engine_.pass(now, run)) return false;
    auto left = run.octets;
    const bool first = written_ == output_.size();
    while (first && !blocked_ && !write_failed_ && left.size() >= worth_a_write) {
        const auto put = write_some(left);
        engine_.wrote(now, put);
        left.remove_prefix(put);
    }
    output_.append(left);
    return true;
}

/// True if something else may follow from it.
bool Driver::write_output() {
    if (!stream_ || blocked_) return false;
    if (write_failed_) {
        lost(std::move(*write_failed_));
        return true;
    }
    while (!barriers_.empty() && barriers_.front().write <= keeper_->kept()) barriers_.pop_front();
    while (true) {
        if (keeper_ || written_ == output_.size()) take_output();
        const auto octets = writable_output();
        if (octets.empty()) break;
        const auto put = write_some(octets);
        if (write_failed_) {
            lost(std::move(*write_failed_));
            return true;
        }
        if (blocked_) return false;
        written_ += put;
        engine_.wrote(tick(), put);
    }
    const bool held = !barriers_.empty(); // the store goes on with it
    if (!held && output_.capacity() > keep_capacity) core::give_back(output_);
    if (!held && closing_) {
        end_close();
        return true;
    }
    await_input();
    return false;
}

bool Driver::follow_wish() {
    const auto wish = engine_.take_wish();
    switch (wish.kind) {
    case core::Wish::nothing: return false;
    case core::Wish::open: begin_open(wish.endpoint); return true;
    case core::Wish::close: begin_close(); return true;
    }
    return false;
}

void Driver::begin_open(std::size_t endpoint) {
    if (const auto redirect = std::move(redirect_)) {
        if (redirect->for_good && !detour_) endpoints_[endpoint_] = redirect->to;
        const bool back = redirect->to.given == endpoints_[endpoint_].given;
        detour_ = back ? nullptr : std::make_unique<Url>(std::move(redirect->to));
    } else {
        endpoint_ = endpoint;
        detour_.reset();
    }
    opening_ = true;
    closing_ = greeted_ = false;
    listener_.before_open(endpoint_);
}

void Driver::redirect(Url to, bool for_good) {
    redirect_ = std::make_unique<Redirect>(Redirect{std::move(to), for_good});
}

void Driver::give_up(Error why) {
    if (std::exchange(opening_, false)) engine_.closed(tick(), std::move(why));
}

void Driver::open() {
    connector_.start(endpoint(), [this](std::shared_ptr<Stream> stream, Error error) {
        connected(std::move(stream), std::move(error));
    });
}

void Driver::connected(std::shared_ptr<Stream> stream, Error error) {
    opening_ = false;
    if (stream) {
        stream_ = std::move(stream);
        stream_->tell(this);
        engine_.opened(tick());
        await_input();
    } else {
        engine_.closed(tick(), std::move(error));
    }
    drain();
}

void Driver::begin_close() {
    if (std::exchange(opening_, false)) {
        connector_.cancel();
        return engine_.closed(tick(), make_error(Errc::connection_lost, "the attempt to connect was given up"));
    }
    if (!stream_ || closing_) return;
    closing_ = true;
    if (!flush_limit_)
        flush_limit_ = std::make_unique<Timer>(loop_, [this] {
            end_close();
            drain();
        });
    flush_limit_->arm(Loop::now() + flush_limit);
    write_output();
}

void Driver::end_close() {
    if (!stream_) return;
    const auto stream = std::exchange(stream_, nullptr);
    if (blocked_)
        stream->close();
    else
        stream->finish();
    drop_stream();
    engine_.closed(tick(), make_error(Errc::connection_lost, "the connection was closed"));
}

void Driver::drop_stream() noexcept {
    if (stream_) stream_->close();
    stream_.reset();
    output_.clear();
    barriers_.clear();
    written_ = 0;
    write_failed_.reset();
    blocked_ = reading_ = closing_ = false;
    if (flush_limit_) flush_limit_->disarm();
}

void Driver::abandon(const Error& why) {
    if (!stream_) return;
    drop_stream();
    engine_.closed(tick(), why);
}

/// The stream broke. What the peer said before may tell why.
void Driver::lost(Error why) {
    for (int i = 0; i < reads_per_turn && !closing_; ++i) {
        Transfer got;
        if (!read_once(got)) break;
        handle_events();
    }
    if (!stream_) return;
    drop_stream();
    engine_.closed(tick(), std::move(why));
}

/// Feeds the engine with what one read gives. False if it gave nothing, or ended the connection.
bool Driver::read_once(Transfer& got) {
    const auto room = loop_.read_buffer();
    got = stream_->read(room.data(), room.size());
    if (got.state != Transfer::moved) return false;
    const Octets octets(room.data(), got.size);
    if (!greeted_well(octets)) return false;
    received_ += octets.size();
    engine_.received(tick(), octets);
    return true;
}

/// A broker's first packet is CONNACK, or AUTH; anything else is no broker.
bool Driver::greeted_well(Octets octets) {
    if (std::exchange(greeted_, true) || octets[0] == connack || octets[0] == auth) return true;
    auto text = stream_->peer() + " does not speak MQTT: it began with \"" + printable(octets.substr(0, 16)) + "\"";
    drop_stream();
    engine_.closed(tick(), make_error(Errc::not_mqtt, std::move(text)));
    return false;
}

void Driver::readable() {
    reading_ = false;
    for (int i = 0; i < reads_per_turn && stream_ && !closing_ && engine_.wants_input(); ++i) {
        Transfer got;
        if (!read_once(got)) {
            if (!stream_ || got.state == Transfer::blocked) break;
            if (!greeted_ && got.error.code == Errc::connection_lost) got.error.text += " before it said anything";
            drop_stream();
            engine_.closed(tick(), std::move(got.error));
            break;
        }
        drain();
        if (got.size < loop_.read_buffer().size()) break; // most likely there is no more
    }
    drain();
    await_input();
}

void Driver::writable() {
    blocked_ = false;
    drain();
    await_input();
}

void Driver::await_input() {
    if (!stream_ || reading_ || closing_ || !engine_.wants_input()) return;
    reading_ = true;
    stream_->await_readable();
}

} // namespace tortoise::io
