// Where messages go: by identifier, by filter, each route once.
#include "core/router.hpp"
#include <gmock/gmock.h>

namespace tortoise::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Route> find(const Router& router, std::string_view topic, const std::vector<Router::Identifier>& carried,
                        bool identified = true) {
    Properties properties;
    for (const auto id : carried) properties.add(property::subscription_identifier, id);
    std::vector<Route> routes{99}; // what was there before stays
    router.find(topic, properties, identified, routes);
    EXPECT_EQ(routes.front(), 99);
    routes.erase(routes.begin());
    return routes;
}

TEST(Router, WithoutIdentifiersEveryMatchingRouteOnce) {
    Router router;
    router.add("a/#", 2);
    router.add("a/+", 1);
    router.add("+/b", 1);
    EXPECT_THAT(find(router, "a/b", {}, false), ElementsAre(1, 2));
    EXPECT_THAT(find(router, "c", {}, false), IsEmpty());
}

TEST(Router, IdentifiersSayForWhomACopyIs) {
    Router router;
    router.add("a/#", 1);
    router.add("a/b", 2);
    const auto one = router.identifier(1), two = router.identifier(2);
    EXPECT_NE(one, two);
    EXPECT_THAT(find(router, "a/b", {one}), ElementsAre(1));
    EXPECT_THAT(find(router, "a/b", {two}), ElementsAre(2));
    EXPECT_THAT(find(router, "a/b", {two, one, two}), ElementsAre(1, 2));
    // Nothing is said, nothing known is said: the filters decide.
    EXPECT_THAT(find(router, "a/b", {}), ElementsAre(1, 2));
    EXPECT_THAT(find(router, "a/b", {one ^ two}), ElementsAre(1, 2));
}

TEST(Router, ACopyWithoutIdentifierIsForTheFilterWithoutRoute) {
    Router router;
    router.add("a/#", 1);
    router.add("a/b", 0);
    EXPECT_EQ(router.identifier(0), 0);
    EXPECT_THAT(find(router, "a/b", {}), IsEmpty());
    EXPECT_THAT(find(router, "a/c", {}), ElementsAre(1));
    EXPECT_THAT(find(router, "a/b", {}, false), ElementsAre(1));
    router.remove("a/b", 0);
    EXPECT_THAT(find(router, "a/b", {}), ElementsAre(1));
}

TEST(Router, ARouteHasOneIdentifierUntilItsLastFilterGoes) {
    Router router;
    router.add("a", 1);
    const auto identifier = router.identifier(1);
    EXPECT_GE(identifier, 1);
    EXPECT_LE(identifier, 268'435'455); // [MQTT-3.8.2.1.2]
    router.add("b", 1);
    EXPECT_EQ(router.identifier(1), identifier);
    router.remove("a", 1);
    EXPECT_THAT(find(router, "b", {identifier}), ElementsAre(1));
    router.remove("b", 1);
    EXPECT_EQ(router.identifier(1), 0);
    EXPECT_THAT(find(router, "b", {identifier}), IsEmpty());
}

TEST(Router, IdentifiersAreTheSameInEveryLifeAndNeverShared) {
    Router first, second;
    second.add("other", 7);
    first.add("a/b", 1);
    second.add("a/b", 3);
    EXPECT_EQ(first.identifier(1), second.identifier(3));
    first.add("a/b", 2); // of another group: the same filter
    EXPECT_NE(first.identifier(1), first.identifier(2));
}

} // namespace
} // namespace tortoise::core
