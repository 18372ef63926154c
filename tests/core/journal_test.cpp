// What is written down for a next life of a session, and read again.
#include "core/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace tortoise::core {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Action = RecordChange::Action;

constexpr Time start = Time(1h);
constexpr WallTime day(std::chrono::hours(24 * 20'000));

WorkItem item(std::uint64_t key, QoS qos = QoS::at_least_once, std::string topic = "t") {
    WorkItem i;
    i.key = key;
    i.message = Message(std::move(topic), "payload " + std::to_string(key), qos);
    return i;
}

/// A journal and the records that its changes leave.
struct Kept {
    Kept() { journal.set_wall_clock(start, day); }
    bool flush() {
        std::vector<RecordChange> changes;
        const bool first = journal.take(changes);
        for (auto& change : changes) apply(change);
        return first;
    }
    void apply(RecordChange& change) {
        const auto same = [&](const Record& r) { return r.kind == change.record.kind && r.key == change.record.key; };
        const auto at = std::find_if(records.begin(), records.end(), same);
        if (change.action == Action::put) {
            if (at == records.end())
                records.push_back(std::move(change.record));
            else
                *at = std::move(change.record);
        } else if (at != records.end()) {
            if (change.action == Action::mark)
                at->mark = change.record.mark;
            else
                records.erase(at);
        }
    }
    Result<Journal::Session> restored(Duration later = {}, Duration wall_later = {}) {
        flush();
        Journal next(true);
        next.set_wall_clock(start + later, day + std::chrono::floor<std::chrono::milliseconds>(wall_later));
        return next.restore(start + later, records);
    }
    Journal journal{true};
    std::vector<Record> records;
};

std::vector<std::uint64_t> keys(const std::vector<Journal::Message>& messages) {
    std::vector<std::uint64_t> all;
    for (const auto& m : messages) all.push_back(m.item.key);
    return all;
}

TEST(Journal, SwitchedOffWritesNothing) {
    Journal journal(false);
    journal.waits(item(1));
    journal.sent(item(2), 7);
    journal.handled(3);
    journal.accepted_as("me");
    EXPECT_FALSE(journal.has_changes());
}

TEST(Journal, KeepsEverythingOfAMessage) {
    Kept kept;
    auto i = item(7, QoS::exactly_once, "a/b");
    i.message.retain = true;
    i.message.payload = std::string("\0binary\xFF", 8);
    i.message.properties.set(property::content_type, "text").add_user("k", "v");
    i.priority = -3;
    kept.journal.waits(i);
    auto session = kept.restored();
    ASSERT_TRUE(session) << session.error().describe();
    ASSERT_THAT(session->waiting, SizeIs(1));
    const auto& m = session->waiting[0].item;
    EXPECT_EQ(m.key, 7u);
    EXPECT_EQ(m.message.topic, "a/b");
    EXPECT_EQ(m.message.payload, i.message.payload);
    EXPECT_EQ(m.message.qos, QoS::exactly_once);
    EXPECT_TRUE(m.message.retain);
    EXPECT_EQ(m.message.properties, i.message.properties);
    EXPECT_EQ(m.priority, -3);
    EXPECT_FALSE(m.expires);
}

TEST(Journal, TimesToLiveGoOnByTheWallClockWhileNobodyRuns) {
    Kept kept;
    for (const auto& [key, ttl] : {std::pair{1u, Duration(5s)}, {2u, Duration(1min)}}) {
        auto i = item(key);
        i.expires = start + ttl;
        kept.journal.waits(i);
    }
    // The machine was started again: the steady clock begins anew.
    auto session = kept.restored(-59min, 20s);
    ASSERT_TRUE(session);
    const Time now = start - 59min;
    EXPECT_EQ(session->waiting[0].item.expires, now);
    EXPECT_EQ(session->waiting[1].item.expires, now + 40s);
}

TEST(Journal, WhatWaitsKeepsTheOrderOfAcceptanceAndWhatFliesThatOfSending) {
    Kept kept;
    for (const std::uint64_t key : {1, 2, 3, 4, 5}) kept.journal.waits(item(key));
    kept.journal.sent_after_waiting(item(4), 9);
    kept.journal.sent_after_waiting(item(2), 3);
    auto session = kept.restored();
    ASSERT_TRUE(session);
    EXPECT_THAT(keys(session->waiting), ElementsAre(1, 3, 5));
    EXPECT_THAT(keys(session->in_flight), ElementsAre(4, 2));
    EXPECT_EQ(session->in_flight[0].id, 9);
}

TEST(Journal, ReleasedMessagesStandInTheOrderOfTheirRelease) { // [MQTT-4.6.0-4]
    Kept kept;
    kept.journal.sent(item(1, QoS::exactly_once), 1);
    kept.journal.sent(item(2, QoS::exactly_once), 2);
    kept.journal.released(item(2, QoS::exactly_once), 2);
    kept.journal.released(item(1, QoS::exactly_once), 1);
    auto session = kept.restored();
    ASSERT_TRUE(session);
    EXPECT_THAT(keys(session->in_flight), ElementsAre(2, 1));
    EXPECT_TRUE(session->in_flight[0].released);
    EXPECT_THAT(session->in_flight[0].item.message.payload, IsEmpty());
}

TEST(Journal, ForgetsWhatEnded) {
    Kept kept;
    kept.journal.sent(item(1), 1);
    kept.journal.waits(item(2, QoS::at_most_once));
    kept.journal.ended(item(1));
    kept.journal.sent_after_waiting(item(2, QoS::at_most_once), 0);
    kept.journal.handled(5);
    kept.journal.handled(6);
    kept.journal.handled_and_released(5);
    auto session = kept.restored();
    ASSERT_TRUE(session);
    EXPECT_THAT(session->waiting, IsEmpty());
    EXPECT_THAT(session->in_flight, IsEmpty());
    EXPECT_THAT(session->handled, ElementsAre(6));
}

TEST(Journal, SaysWhatHasToBeKeptBeforeAnythingIsSent) {
    Journal journal(true);
    std::vector<RecordChange> changes;
    const auto first = [&] { return journal.take(changes); };
    journal.waits(item(1));
    EXPECT_TRUE(first());
    journal.sent_after_waiting(item(1), 1);
    EXPECT_TRUE(first());
    journal.sent(item(2), 2);
    EXPECT_TRUE(first());
    journal.released(item(1), 1);
    EXPECT_TRUE(first());
    journal.ended(item(1));
    EXPECT_FALSE(first());
    journal.waits_again(item(1));
    EXPECT_FALSE(first());
    journal.handled(1);
    EXPECT_TRUE(first());
    journal.handled_and_released(1);
    EXPECT_TRUE(first());
    journal.accepted_as("me");
    EXPECT_FALSE(first());
    EXPECT_FALSE(first());
}

TEST(Journal, GoesOnCountingWhereItEnded) {
    Kept kept;
    kept.journal.sent(item(41), 1);
    kept.flush();
    Journal next(true);
    ASSERT_TRUE(next.restore(start, kept.records));
    EXPECT_EQ(next.next_key(), 42u);
    next.sent(item(42), 2);
    std::vector<RecordChange> changes;
    next.take(changes);
    EXPECT_GT(changes[0].record.mark, kept.records[0].mark);
}

TEST(Journal, KnowsWhoTheSessionIs) {
    Kept kept;
    kept.journal.accepted_as("made-up-1");
    auto session = kept.restored();
    ASSERT_TRUE(session);
    EXPECT_TRUE(session->accepted);
    EXPECT_EQ(Journal::client_id(kept.records), "made-up-1");
    EXPECT_EQ(Journal::client_id({}), "");
}

struct Damage {
    const char* what;
    Record record;
};

TEST(Journal, NamesRecordsThatCannotBe) {
    Kept kept;
    kept.journal.sent(item(1), 1);
    kept.journal.waits(item(2, QoS::at_most_once));
    kept.flush();
    const Record good = kept.records[0], qos0 = kept.records[1];
    const auto with_mark = [](Record r, std::uint64_t mark) {
        r.mark = mark;
        return r;
    };
    const auto with_value = [](Record r, std::string value) {
        r.value = std::move(value);
        return r;
    };
    auto cut = good.value;
    cut.pop_back();
    const std::vector<Damage> all = {
        {"a kind that is not known", {static_cast<RecordKind>(9), 1, 0, {}}},
        {"no packet identifier", {RecordKind::inbound, 0, 0, {}}},
        {"a packet identifier too large", {RecordKind::inbound, 65'536, 0, {}}},
        {"an empty value", with_value(good, "")},
        {"a layout that is not known", with_value(good, "\x02" + good.value.substr(1))},
        {"a value cut short", with_value(good, cut)},
        {"octets behind it", with_value(good, good.value + "x")},
        {"QoS 0 in flight", with_mark(qos0, 7)},
        {"QoS 1 released", with_mark(good, 0x10001)},
        {"in flight without identifier", with_mark(good, 0x20000)},
        {"another packet", with_value(good, good.value.substr(0, 13) + std::string("\xC0\x00", 2))},
    };
    for (const auto& damage : all) {
        SCOPED_TRACE(damage.what);
        Journal journal(true);
        const auto session = journal.restore(start, {&damage.record, 1});
        ASSERT_FALSE(session);
        EXPECT_EQ(session.error().code, Errc::store_damaged);
        EXPECT_THAT(session.error().text, HasSubstr("record "));
    }
    auto twice = good;
    twice.key = 9;
    const std::vector<Record> same_id = {good, twice};
    EXPECT_FALSE(Journal(true).restore(start, same_id));
}

TEST(Journal, SurvivesAnyDamage) {
    Kept kept;
    auto with_all = item(1, QoS::exactly_once, "some/topic");
    with_all.message.properties.add_user("k", "v").set(property::content_type, "x");
    with_all.expires = start + 1h;
    kept.journal.sent(with_all, 1);
    kept.flush();
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        Record r = kept.records[0];
        for (unsigned n = random() % 4; n != 0; --n)
            r.value[random() % r.value.size()] ^= static_cast<char>(1u << random() % 8);
        if (random() % 4 == 0) r.value.resize(random() % r.value.size());
        if (random() % 4 == 0) r.mark = random();
        Journal journal(true);
        const auto session = journal.restore(start, {&r, 1});
        if (!session) {
            EXPECT_EQ(session.error().code, Errc::store_damaged);
        }
    }
}

} // namespace
} // namespace tortoise::core
