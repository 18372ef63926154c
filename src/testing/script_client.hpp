#pragma once
/// One client of a script: a stream as packets. Of the loop's thread only.

#include "io/stream.hpp"
#include "testing/kept_packet.hpp"
#include "testing/transcript.hpp"
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tortoise/core/codec.hpp>

namespace tortoise::testing {

class ScriptClient final : io::Stream::Events, public std::enable_shared_from_this<ScriptClient> {
public:
    /// `changed` is called when something arrived, was written, or ended; never from inside a function of this.
    ScriptClient(io::Loop&, std::shared_ptr<io::Stream>, Transcript&, Fn<void()> changed);
    ~ScriptClient();
    ScriptClient(const ScriptClient&) = delete;
    ScriptClient& operator=(const ScriptClient&) = delete;

    void start();
    /// Reads what is there by now.
    void pump();
    bool has_packets() const noexcept { return !arrived_.empty(); }
    /// Precondition: there is one.
    KeptPacket take();
    /// How the client ended the connection, or what it sent that is no packet. After the packets before it were taken.
    const std::optional<std::string>& ended() const noexcept { return ended_; }
    bool broke_protocol() const noexcept { return broke_protocol_; }
    /// What its CONNECT said; before that, 5.
    Version version() const noexcept { return version_; }

    /// In pieces of at most that many octets; 0: in one. What cannot be written any more is dropped.
    void write(std::string octets, std::size_t piece);
    bool writing() const noexcept { return written_ < output_.size(); }

    /// Precondition: nothing is being written. It is over then.
    void finish();
    void reset();

private:
    void opened() override {}
    void not_opened(Error) override {}
    void readable() override;
    void writable() override;
    void await_input();
    void decode(Octets);
    void end(std::string how, bool broke_protocol);
    void write_some();

    io::Loop& loop_;
    std::shared_ptr<io::Stream> stream_;
    Transcript& transcript_;
    Fn<void()> changed_;
    core::FrameReader reader_;
    Version version_ = Version::v5;
    std::deque<KeptPacket> arrived_;
    std::optional<std::string> ended_;
    bool broke_protocol_ = false, reading_ = false;
    std::string output_;
    std::size_t written_ = 0, piece_ = 0;
};

} // namespace tortoise::testing
