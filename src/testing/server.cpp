#include "testing/server.hpp"
#include "io/unix.hpp"
#include <string>
#include <utility>

namespace tortoise::testing {

namespace {
constexpr std::size_t too_much = 256u << 20; // unwritten, for a client that does not read at all
constexpr int reads_per_turn = 16;           // then it is the turn of other clients
constexpr std::size_t most_relays = 10'000;
} // namespace

/// One client's connection. It tells its server what happened; the server serves it.
class Server::Peer final : io::Stream::Events {
public:
    Peer(Server& server, broker::ClientId id, std::shared_ptr<io::Stream> stream)
        : server_(server), id_(id), stream_(std::move(stream)) {
        stream_->tell(this);
        stream_->await_readable();
    }
    ~Peer() {
        if (stream_) stream_->close();
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// False if it is to be dropped.
    bool write() {
        auto& engine = server_.engine_;
        engine.take_output(id_, next_);
        if (next_.size() > too_much) return false;
        while (!blocked_) {
            if (written_ == writing_.size()) {
                writing_.clear();
                written_ = 0;
                engine.take_output(id_, next_);
                writing_.swap(next_);
                if (writing_.empty()) return true;
            }
            const auto put = stream_->write(Octets(writing_).substr(written_));
            if (put.state == io::Transfer::failed) return false;
            if (put.state == io::Transfer::blocked) {
                blocked_ = true;
                stream_->await_writable();
                return true;
            }
            written_ += put.size;
            engine.wrote(io::Loop::now(), id_, put.size);
        }
        return true;
    }
    /// Everything was written that was to be: closes in a way that lets the client read it.
    void finish() {
        if (!blocked_) std::exchange(stream_, nullptr)->finish();
    }

private:
    void opened() override {}
    void not_opened(Error) override {}
    void readable() override {
        const auto room = server_.loop_.read_buffer();
        bool gone = false;
        for (int i = 0; i < reads_per_turn; ++i) {
            const auto got = stream_->read(room.data(), room.size());
            gone = got.state == io::Transfer::failed;
            if (got.state != io::Transfer::moved) break;
            server_.engine_.received(io::Loop::now(), id_, Octets(room.data(), got.size));
            if (got.size < room.size() || server_.engine_.wants_close(id_)) break;
        }
        auto& server = server_;
        if (gone)
            server.drop(id_);
        else
            stream_->await_readable();
        server.drain(); // this may be the end of this
    }
    void writable() override {
        blocked_ = false;
        auto& server = server_;
        server.serve(id_);
        server.drain();
    }

    Server& server_;
    const broker::ClientId id_;
    std::shared_ptr<io::Stream> stream_;
    std::string writing_, next_;
    std::size_t written_ = 0; // of writing_
    bool blocked_ = false;
};

Server::Server(io::Loop& loop, const BrokerOptions& options, Layers layers)
    : loop_(loop), engine_(options), layers_(std::move(layers)), timer_(loop, [this] {
          engine_.elapsed(io::Loop::now());
          drain();
      }) {
    if (options.faults || options.capture)
        relays_.emplace(loop_, options.faults.value_or(Faults()), options.capture, most_relays,
                        core::largest_packet); // it is the engine that refuses larger ones
}

Server::~Server() = default;

Result<std::uint16_t> Server::listen(const Place& place) {
    auto acceptor = testing::listen(loop_, place, [this](std::shared_ptr<io::Stream> s) { welcome(std::move(s)); });
    if (!acceptor) return acceptor.error();
    acceptor_ = std::move(*acceptor);
    return acceptor_->port();
}

void Server::stop() {
    acceptor_.reset();
    drop_connections();
}

void Server::drop_connections() {
    if (relays_) relays_->drop();
    while (!peers_.empty()) drop(peers_.begin()->first);
    drain();
}

void Server::forget_sessions() {
    drop_connections();
    engine_.forget_sessions();
    drain();
}

void Server::welcome(std::shared_ptr<io::Stream> stream) {
    stream = layers_.over(loop_, std::move(stream));
    if (relays_) stream = relayed(std::move(stream));
    if (!stream) return;
    const auto id = next_id_++;
    engine_.connected(io::Loop::now(), id);
    peers_.emplace(id, std::make_unique<Peer>(*this, id, std::move(stream)));
    drain();
}

std::shared_ptr<io::Stream> Server::relayed(std::shared_ptr<io::Stream> client) {
    auto* relay = relays_->add(std::move(client));
    if (!relay) return nullptr;
    const auto ends = io::connected_pair(loop_);
    relay->join(ends ? ends->first : nullptr);
    return ends ? ends->second : nullptr;
}

void Server::drain() {
    while (true) {
        touched_.clear();
        engine_.touched(touched_);
        if (touched_.empty()) break;
        for (const auto id : touched_) serve(id);
    }
    if (const auto deadline = engine_.deadline())
        timer_.arm(*deadline);
    else
        timer_.disarm();
}

void Server::serve(broker::ClientId id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;
    if (!found->second->write()) return drop(id);
    if (!engine_.wants_close(id)) return;
    found->second->finish();
    drop(id);
}

void Server::drop(broker::ClientId id) {
    if (peers_.erase(id) == 1) engine_.closed(io::Loop::now(), id);
}

} // namespace tortoise::testing
