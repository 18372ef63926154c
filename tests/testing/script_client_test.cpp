// How a script writes: in pieces, and to a client that does not read.
#include "testing/own_loop.hpp"
#include "testing/script_client.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tortoise/testing/gate.hpp>

namespace tortoise::testing {
namespace {

using ::testing::ElementsAre;

/// Writes down what it is given; takes at most a number of octets, then it is full until it is asked again.
class Recording final : public io::Stream {
public:
    explicit Recording(std::size_t room) : room_(room), left_(room) {}
    void tell(Events* events) noexcept override { events_ = events; }
    void await_readable() override {}
    void await_writable() override { waited_ = true; }
    io::Transfer read(char*, std::size_t) override { return {.state = io::Transfer::blocked}; }
    io::Transfer write(Octets octets, bool) override {
        if (left_ == 0) return {.state = io::Transfer::blocked};
        const auto size = std::min(left_, octets.size());
        left_ -= size;
        writes.emplace_back(octets.substr(0, size));
        return {.size = size};
    }
    const std::string& peer() const noexcept override { return peer_; }
    void close() noexcept override {}
    void finish() noexcept override {}

    /// If it was full: it has room again.
    bool make_room() {
        left_ = room_;
        if (!std::exchange(waited_, false)) return false;
        events_->writable();
        return true;
    }
    std::vector<std::string> writes;

private:
    const std::size_t room_;
    std::size_t left_;
    bool waited_ = false;
    Events* events_ = nullptr;
    const std::string peer_ = "peer";
};

/// What is written of some octets, in pieces of a size, to a stream with so much room at a time.
std::vector<std::string> written(const std::string& octets, std::size_t piece, std::size_t room) {
    const OwnLoop own;
    const auto stream = std::make_shared<Recording>(room);
    Transcript transcript(false);
    Gate done;
    std::shared_ptr<ScriptClient> client;
    own.run([&] {
        client = std::make_shared<ScriptClient>(own.loop(), stream, transcript, [&] { done.open(); });
        client->start();
        client->write(octets, piece);
        if (!client->writing()) done.open();
        while (stream->make_room()) {
        }
    });
    EXPECT_TRUE(done.wait(std::chrono::seconds(20)));
    own.run([&] { client.reset(); });
    return stream->writes;
}

TEST(ScriptClient, writesAtOnceWhatFits) { EXPECT_THAT(written("abcdef", 0, 100), ElementsAre("abcdef")); }
TEST(ScriptClient, writesInPieces) { EXPECT_THAT(written("abcdef", 2, 100), ElementsAre("ab", "cd", "ef")); }
TEST(ScriptClient, writesTheRestInASmallerPiece) { EXPECT_THAT(written("abc", 2, 100), ElementsAre("ab", "c")); }
TEST(ScriptClient, waitsForRoom) { EXPECT_THAT(written("abcdef", 0, 4), ElementsAre("abcd", "ef")); }

} // namespace
} // namespace tortoise::testing
