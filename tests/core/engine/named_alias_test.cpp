// Topic aliases that the user names, over queue, reconnect and brokers that allow fewer.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

EngineOptions manual() {
    auto options = plain();
    options.topic_aliases = TopicAliases::manual;
    return options;
}

class NamedAlias5 : public ::testing::Test {
protected:
    Peer peer{manual()};
    const Properties allows_two = Properties{}.set(property::topic_alias_maximum, 2);

    Token publish(std::string_view topic, std::uint32_t alias, QoS qos = QoS::at_most_once) {
        const auto properties = Properties{}.set(property::topic_alias, alias);
        return peer.publish({.topic = topic, .qos = qos, .properties = properties});
    }
    void expect_sent(std::string_view topic, std::optional<std::uint32_t> alias) {
        const auto p = peer.sent<Publish>();
        EXPECT_EQ(p.topic, topic);
        EXPECT_EQ(p.properties.get(property::topic_alias), alias);
    }
};

TEST_F(NamedAlias5, TheTopicTravelsOnce) {
    peer.connect(false, allows_two);
    publish("a/b", 1);
    expect_sent("a/b", 1);
    publish("", 1);
    expect_sent("", 1);
    publish("a/b", 1);
    expect_sent("", 1);
    publish("c", 1); // named anew
    expect_sent("c", 1);
    publish("", 1);
    expect_sent("", 1);
    peer.publish("a/b", QoS::at_most_once); // none is given by itself
    expect_sent("a/b", std::nullopt);
}

TEST_F(NamedAlias5, TellsTheNewConnectionAnew) {
    peer.connect(false, allows_two);
    publish("a/b", 2, QoS::at_least_once);
    expect_sent("a/b", 2);
    publish("", 2, QoS::at_least_once);
    expect_sent("", 2);
    peer.lose_connection();
    publish("", 2); // waits in the queue
    peer.connect(true, allows_two);
    expect_sent("a/b", 2); // sent again [MQTT-3.3.2-7]
    expect_sent("", 2);
    expect_sent("", 2);
}

TEST_F(NamedAlias5, ABrokerThatAllowsFewerGetsTopics) {
    publish("a/b", 2);
    publish("", 2);
    publish("c", 3);
    peer.connect(false, Properties{}.set(property::topic_alias_maximum, 1));
    for (const auto* topic : {"a/b", "a/b", "c"}) expect_sent(topic, std::nullopt); // [MQTT-3.3.2-9]
}

TEST_F(NamedAlias5, WithoutATopicAnUnknownAliasIsAnError) {
    peer.connect(false, allows_two);
    publish("", 1);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_topic);
    publish("a", 0); // [MQTT-3.3.2-8]
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_option);
    EXPECT_TRUE(peer.silent());
}

TEST(NamedAliasNot5, IfTheConnectionChoosesThem) {
    for (const auto aliases : {TopicAliases::off, TopicAliases::automatic}) {
        auto options = plain();
        options.topic_aliases = aliases;
        Peer peer{options};
        peer.connect();
        const auto properties = Properties{}.set(property::topic_alias, 1);
        peer.publish({.topic = "a", .properties = properties});
        EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_option);
    }
}

} // namespace
} // namespace tortoise::core::testing
