#pragma once
/// The broker engine on sockets. Of the loop's thread only.

#include "broker/engine.hpp"
#include "io/loop.hpp"
#include "io/tcp.hpp"
#include "io/tls.hpp"
#include "testing/place.hpp"
#include "testing/relay.hpp"
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tortoise::testing {

class Server {
public:
    /// Null: without TLS.
    Server(io::Loop&, const BrokerOptions&, Layers);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The port that it listens on; 0 if it is a Unix socket.
    Result<std::uint16_t> listen(const Place&);
    /// Closes the port and every connection.
    void stop();
    void drop_connections();
    void forget_sessions();
    BrokerStatistics statistics() const { return engine_.statistics(); }

private:
    class Peer;
    void welcome(std::shared_ptr<io::Stream>);
    /// The stream, with faults and capture in between.
    std::shared_ptr<io::Stream> relayed(std::shared_ptr<io::Stream>);
    void drain();
    void serve(broker::ClientId);
    void drop(broker::ClientId);

    io::Loop& loop_;
    broker::Engine engine_;
    const Layers layers_;
    io::Timer timer_;
    std::shared_ptr<io::Acceptor> acceptor_;
    std::optional<Relays> relays_;
    std::unordered_map<broker::ClientId, std::unique_ptr<Peer>> peers_;
    broker::ClientId next_id_ = 1;
    std::vector<broker::ClientId> touched_;
};

} // namespace tortoise::testing
