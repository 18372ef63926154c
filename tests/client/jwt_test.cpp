// JSON Web Tokens as passwords: to a server that looks at their signature and at what they claim.
#include "support/certificates.hpp"
#include "support/jwt.hpp"
#include "support/script.hpp"

namespace tortoise::test {
namespace {

using core::Connack;
using core::Connect;
using std::chrono::seconds;

struct Case {
    Version version;
    JwtAlgorithm algorithm;
};

class JwtOf : public ::testing::TestWithParam<Case> {
protected:
    JwtKey key() const {
        return {.algorithm = GetParam().algorithm, .key = pem, .key_id = "door-1", .audience = "home"};
    }
    ConnectionOptions door(CredentialsFunction credentials) const {
        auto o = options_for(script.url(), GetParam().version, recorder);
        o.credentials = std::move(credentials);
        return o;
    }
    /// The password is signed with our key, for this audience, and was made then for that long.
    bool is_good(const Connect& connect, WallTime issued, Duration life) const {
        if (connect.user_name != "unused" || !connect.password) return false;
        const auto says = verified(*connect.password, GetParam().algorithm, pem);
        if (!says) return false;
        const auto whole = [](WallTime at) {
            return std::to_string(std::chrono::duration_cast<seconds>(at.time_since_epoch()).count());
        };
        const auto expires = issued + std::chrono::duration_cast<WallTime::duration>(life);
        const std::string algorithm = GetParam().algorithm == JwtAlgorithm::es256 ? "ES256" : "RS256";
        return says->header == R"({"alg":")" + algorithm + R"(","typ":"JWT","kid":"door-1"})" &&
               says->claims == R"({"iat":)" + whole(issued) + R"(,"exp":)" + whole(expires) + R"(,"aud":"home"})";
    }
    /// What time it is for tokens: that far behind at the first asking, and right from then on. Each is written down.
    WallClock clock(Duration behind) {
        return [times = times, behind] {
            std::lock_guard lock(times->mutex);
            auto now = std::chrono::system_clock::now();
            if (times->told.empty()) now -= std::chrono::duration_cast<WallTime::duration>(behind);
            times->told.push_back(now);
            return now;
        };
    }
    /// The next client is let in if its token is good.
    void admit(Duration life) {
        script.expect_connect().reply([this, life](auto got) {
            std::lock_guard lock(times->mutex);
            const bool good = is_good(std::get<Connect>(got.back()), times->told.back(), life);
            return Connack{.reason = good ? Reason::success : Reason::not_authorized};
        });
    }
    struct Times {
        std::mutex mutex;
        std::vector<WallTime> told;
    };
    const std::shared_ptr<Times> times = std::make_shared<Times>();
    const std::string pem =
        GetParam().algorithm == JwtAlgorithm::es256 ? testing::Authority().issue().key() : std::string(rsa_key);
    Recorder recorder;
    testing::Script script;
};
INSTANTIATE_TEST_SUITE_P(, JwtOf,
                         ::testing::Values(Case{Version::v3_1_1, JwtAlgorithm::es256},
                                           Case{Version::v3_1_1, JwtAlgorithm::rs256},
                                           Case{Version::v5, JwtAlgorithm::es256},
                                           Case{Version::v5, JwtAlgorithm::rs256}),
                         [](const auto& c) {
                             return std::string(c.param.version == Version::v5 ? "v5" : "v3_1_1") +
                                    (c.param.algorithm == JwtAlgorithm::es256 ? "_es256" : "_rs256");
                         });

// The first token was made an hour ago, as it seems, and has little time left.
TEST_P(JwtOf, AKeyOpensAServerThatChecksItAndIsRenewedAhead) {
    constexpr Duration life = std::chrono::hours(1) + 400ms; // made and sent in less, on the slowest machine
    admit(life);
    script.expect(core::PacketType::disconnect).expect_close(); // it is the client that goes, and comes back
    admit(life);
    Connection c{door(jwt_credentials(key(), "unused", life, clock(std::chrono::hours(1))))};
    ASSERT_FOLLOWED(script);
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    const auto seen = recorder.seen();
    const auto down = std::ranges::find(seen.statuses, Status::down, &StatusInfo::status);
    ASSERT_NE(down, seen.statuses.end());
    EXPECT_EQ(down->reason.code, Errc::cancelled);
    EXPECT_EQ(c.statistics().drops, 0u);
    std::lock_guard lock(times->mutex);
    EXPECT_EQ(times->told.size(), 2u);
}

TEST_P(JwtOf, AnotherKeyOrAudienceDoesNotOpenIt) {
    admit(std::chrono::hours(1));
    auto other = key();
    if (other.algorithm == JwtAlgorithm::es256)
        other.key = testing::Authority().issue().key();
    else
        other.audience = "away";
    Connection c{door(jwt_credentials(other, "unused", std::chrono::hours(1), clock({})))};
    ASSERT_TRUE(recorder.wait([](const Seen& seen) { return !seen.statuses.empty(); }));
    EXPECT_EQ(recorder.seen().statuses[0].reason.code, Reason::not_authorized);
}

} // namespace
} // namespace tortoise::test
