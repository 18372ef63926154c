#pragma once
// A lamp that everybody can see is there: lamps/hall/state says "online", or, by its will, "offline".
#include <tortoise/tortoise.hpp>

/// Says that it is online when it connects first. After that it forgets: when its connection broke, the broker has told
/// everybody that it is offline, and nothing tells them otherwise.
struct ForgetfulLamp : tortoise::Handler {
    void init(tortoise::Connection& self) override { announce(self); }

protected:
    static void announce(tortoise::Connection& self) {
        self.publish("lamps/hall/state", "online", {.qos = tortoise::QoS::at_least_once, .retain = true});
    }
};

/// Says so each time.
struct CarefulLamp : ForgetfulLamp {
    void init(tortoise::Connection&) override {}
    tortoise::Actions connection(tortoise::Connection& self, const tortoise::StatusInfo& now) override {
        if (now.status == tortoise::Status::up) announce(self);
        return {};
    }
};

template <class Behaviour> tortoise::Connection lamp(const std::string& server) {
    return tortoise::Connection(
        {.client_id = "hall-lamp",
         .server = server,
         .handler = tortoise::make_handler<Behaviour>(),
         .will = tortoise::Will{
             .topic = "lamps/hall/state", .payload = "offline", .qos = tortoise::QoS::at_least_once, .retain = true}});
}

inline tortoise::Delivery set_level(tortoise::Connection& lamp, const std::string& percent) {
    return lamp.publish("lamps/hall/level", percent, {.qos = tortoise::QoS::at_least_once});
}
