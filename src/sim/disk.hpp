#pragma once
/// What a client's program writes to its disk: changes that are kept some time after they were asked for, in order; and
/// octets that wait for them. A crash takes away what was not kept yet.

#include <algorithm>
#include <deque>
#include <string>
#include <tortoise/core/record.hpp>
#include <tortoise/core/time.hpp>
#include <tortoise/types.hpp>
#include <vector>

namespace tortoise::sim {

class Disk {
public:
    /// Gives the write the next number.
    std::uint64_t write(std::vector<core::RecordChange> changes, bool durable) {
        writes_.push_back(std::move(changes));
        ++asked_;
        if (durable) needed_ = asked_;
        return asked_;
    }
    /// When a write that is asked for now is kept: while the disk is at work on a group of writes, the next one
    /// gathers.
    core::Time busy_until(core::Time now, Duration takes) {
        if (now >= gathering_done_)
            at_work_done_ = gathering_done_ = now + takes;
        else {
            if (now >= at_work_done_) at_work_done_ = gathering_done_;
            gathering_done_ = at_work_done_ + takes;
        }
        return gathering_done_;
    }
    /// The next write is kept.
    void keep_one() {
        for (auto& change : writes_.front()) apply(change);
        writes_.pop_front();
        ++kept_;
    }
    /// The program dies: what is not kept is lost, and what was to be done with it.
    void crash() {
        writes_.clear();
        held_.clear();
        asked_ = needed_ = kept_;
        at_work_done_ = gathering_done_ = {};
    }

    /// Octets that depend on what was written so far.
    void hold(std::string octets) { held_.push_back({needed_, std::move(octets)}); }
    bool must_hold() const noexcept { return needed_ > kept_ || !held_.empty(); }
    /// The next octets that may go; empty if there are none.
    std::string release() {
        if (held_.empty() || held_.front().write > kept_) return {};
        auto octets = std::move(held_.front().octets);
        held_.pop_front();
        return octets;
    }
    /// The connection is gone: what it would have sent.
    std::string drop_held() {
        std::string octets;
        for (const auto& held : held_) octets += held.octets;
        held_.clear();
        return octets;
    }

    std::uint64_t needed() const noexcept { return needed_; }
    std::uint64_t kept() const noexcept { return kept_; }
    const std::vector<core::Record>& records() const noexcept { return records_; }
    /// Those that there will be once everything is kept.
    std::vector<core::Record> records_to_be() const {
        Disk later;
        later.records_ = records_;
        for (auto changes : writes_)
            for (auto& change : changes) later.apply(change);
        return std::move(later.records_);
    }

private:
    struct Held {
        std::uint64_t write;
        std::string octets;
    };
    void apply(core::RecordChange& change) {
        using Action = core::RecordChange::Action;
        const auto at = std::find_if(records_.begin(), records_.end(), [&](const core::Record& r) {
            return r.kind == change.record.kind && r.key == change.record.key;
        });
        if (change.action == Action::put && at == records_.end())
            records_.push_back(std::move(change.record));
        else if (at == records_.end())
            return;
        else if (change.action == Action::put)
            *at = std::move(change.record);
        else if (change.action == Action::mark)
            at->mark = change.record.mark;
        else
            records_.erase(at);
    }

    std::vector<core::Record> records_;
    std::deque<std::vector<core::RecordChange>> writes_;
    std::deque<Held> held_;
    std::uint64_t asked_ = 0, needed_ = 0, kept_ = 0;
    core::Time at_work_done_ = {}, gathering_done_ = {};
};

} // namespace tortoise::sim
