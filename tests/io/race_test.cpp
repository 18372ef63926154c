// Several addresses of a name: raced, the first to connect wins.
#include "io/connector.hpp"
#include "io/latch.hpp"
#include "io/tcp.hpp"
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

namespace tortoise::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text(const Address& a) { return a.to_string(); }

std::vector<std::string> order(std::vector<const char*> hosts) {
    Addresses addresses;
    for (const auto* host : hosts) addresses.push_back(*Address::parse(host, 1));
    std::vector<std::string> out;
    for (const auto& a : interleaved(addresses)) out.push_back(text(a));
    return out;
}

TEST(Race, FamiliesTakeTurnsBeginningWithTheFirstAddresss) {
    EXPECT_THAT(order({"::1", "::2", "::3", "127.0.0.1", "127.0.0.2"}),
                ElementsAre("[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"));
    EXPECT_THAT(order({"127.0.0.1", "::1", "::2"}), ElementsAre("127.0.0.1:1", "[::1]:1", "[::2]:1"));
    EXPECT_THAT(order({"127.0.0.1", "127.0.0.2"}), ElementsAre("127.0.0.1:1", "127.0.0.2:1"));
}

/// Addresses that the test chooses; of the question's thread.
Addresses answer;
Result<Addresses> chosen(const std::string&, std::uint16_t) { return answer; }

/// Listens, and takes no more connections: who connects waits.
class Deaf {
public:
    Deaf() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
        EXPECT_EQ(::listen(listener_, 0), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size), 0);
        address_ = Address(reinterpret_cast<sockaddr*>(&at), size);
        filler_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(filler_, address_.data(), address_.size()), 0); // its backlog is full now
    }
    ~Deaf() {
        ::close(filler_);
        ::close(listener_);
    }
    Deaf(const Deaf&) = delete;
    Deaf& operator=(const Deaf&) = delete;
    const Address& address() const { return address_; }

private:
    int listener_, filler_;
    Address address_;
};

class Racing : public ::testing::Test {
protected:
    Racing() {
        on_loop([&] {
            const auto welcome = [](std::shared_ptr<Stream> stream) { stream->finish(); };
            six = *listen_tcp(loop, *Address::parse("::1", 0), welcome);
            open_six = *Address::parse("::1", six->port());
            acceptor = *listen_tcp(loop, *Address::parse("127.0.0.1", 0), welcome);
            open = *Address::parse("127.0.0.1", acceptor->port());
            auto gone = *listen_tcp(loop, *Address::parse("127.0.0.1", 0), [](std::shared_ptr<Stream>) {});
            refusing = *Address::parse("127.0.0.1", gone->port());
        });
    }
    ~Racing() override {
        on_loop([&] {
            acceptor.reset();
            six.reset();
        });
    }
    template <class Job> void on_loop(Job job) {
        Latch done;
        loop.post([&] {
            job();
            done.set();
        });
        done.wait();
    }
    /// Who won, or the error.
    std::string race(Addresses addresses) {
        answer = std::move(addresses);
        std::string result;
        Latch done;
        std::unique_ptr<Connector> connector;
        on_loop([&] {
            connector = std::make_unique<Connector>(loop, resolver);
            connector->start(*parse_url("mqtt://a.name"), [&](std::shared_ptr<Stream> stream, Error error) {
                result = stream ? stream->peer() : error.describe();
                if (stream) stream->close();
                done.set();
            });
        });
        done.wait();
        on_loop([&] { connector.reset(); });
        return result;
    }

    detail::Ref<Loops> loops = Loops::make(1);
    Loop& loop = loops->next();
    Resolver resolver{&chosen};
    std::shared_ptr<Acceptor> acceptor, six;
    Address open, open_six, refusing;
};

TEST_F(Racing, AnAddressThatDoesNotAnswerIsOvertaken) {
    const Deaf deaf;
    EXPECT_EQ(race({deaf.address(), open}), text(open));
}

TEST_F(Racing, AnAddressThatRefusesGivesWayToTheNext) { EXPECT_EQ(race({refusing, open}), text(open)); }

TEST_F(Racing, TheFirstWinsWhoeverElseListens) {
    EXPECT_EQ(race({open_six, open}), text(open_six));
    EXPECT_EQ(race({open, open_six}), text(open));
}

TEST_F(Racing, EitherFamilyOvertakesTheOther) {
    const Deaf deaf;
    EXPECT_EQ(race({deaf.address(), deaf.address(), open_six}), text(open_six)); // before the second of the first's
    EXPECT_EQ(race({refusing, open_six}), text(open_six));
}

TEST_F(Racing, AnAddressOfTheOtherFamilyGivesWay) {
    EXPECT_EQ(race({*Address::parse("::1", refusing.port()), open}), text(open));
}

TEST_F(Racing, ThatNobodyWinsTellsAboutEachAddress) {
    const auto error = race({refusing, *Address::parse("::1", refusing.port())});
    EXPECT_THAT(error, HasSubstr(text(refusing)));
    EXPECT_THAT(error, HasSubstr("[::1]:" + std::to_string(refusing.port())));
}

} // namespace
} // namespace tortoise::io
