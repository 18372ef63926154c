#pragma once
/// Follows a script. Of the loop's thread only.

#include "testing/place.hpp"
#include "testing/script_client.hpp"
#include "testing/step.hpp"
#include "testing/transcript.hpp"
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tortoise::testing {

class Player : public std::enable_shared_from_this<Player> {
public:
    /// Told after every change how many steps are done, and why it failed, if it did.
    using Progress = Fn<void(std::size_t done, const std::optional<std::string>& failure)>;

    Player(io::Loop&, Layers, bool show_payloads, Progress);

    /// The port; 0 if it is a Unix socket.
    Result<std::uint16_t> listen(const Place&);
    void add(Step);
    /// The failure, or how it stands.
    std::string report() const;
    std::string transcript() const { return transcript_.text(); }

private:
    void welcome(std::shared_ptr<io::Stream>);
    void advance();
    /// False: not done yet, or failed.
    bool perform(Step&);

    bool on(Expectation&);
    bool on(step::ExpectClose&);
    bool on(step::Silence&);
    bool on(step::Accept&);
    bool on(step::Send&);
    bool on(step::Reply&);
    bool on(step::Split&);
    bool on(step::Close&);
    bool on(step::Drop&);
    bool on(step::Await&);
    bool on(step::Open&);
    bool on(step::Call&);

    /// A client is being served, or one that waited now is.
    bool has_client();
    void serve_next();
    void let_go();
    bool is_open(const Gate&);
    std::optional<std::string> encode(const core::Packet&, std::string& into);
    template <class Function> bool guarded(Function&&);
    bool fail(std::string_view problem);
    std::string stands(std::string_view how, std::string_view problem) const;

    io::Loop& loop_;
    const Layers layers_;
    Transcript transcript_;
    Progress progress_;
    std::shared_ptr<io::Acceptor> acceptor_;
    std::deque<std::shared_ptr<io::Stream>> waiting_; // clients whose turn will come
    std::shared_ptr<ScriptClient> client_;
    std::vector<KeptPacket> received_; // those that were expected, on this connection
    core::PacketId last_id_ = 0;       // of the last of them that had one
    std::size_t piece_ = 0;
    std::deque<Step> steps_;
    std::size_t done_ = 0; // of steps_
    std::optional<std::string> failure_;
    bool advancing_ = false;
};

} // namespace tortoise::testing
