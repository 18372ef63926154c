#pragma once
// What `tortoise bench` does on its connections.

#include "bench_arguments.hpp"
#include "bench_stamp.hpp"
#include "bench_tally.hpp"
#include <memory>

namespace cli {

/// The work of one connection. All but start() is called on the loop thread; all connections have the same one, so that
/// nothing here needs a lock. It outlives its connection.
class Work {
public:
    Work() = default;
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    virtual ~Work() = default;

    /// The filter to subscribe to before the start; empty: none.
    virtual std::string filter() const { return {}; }
    /// Once it is connected and subscribed.
    virtual void start(tortoise::Connection&) {}
    virtual void message(const tortoise::MessageView&) {}
    virtual void undelivered(const tortoise::Error&) {}
};

/// What the works of a measurement share.
struct WorkContext {
    const BenchPlan& plan;
    Context& context;
    Tally& tally;
    const StampClock& stamps;
};

/// Of the connection with that number, from 0 on.
std::unique_ptr<Work> make_work(const WorkContext&, unsigned number);

/// Hands over to the work, and tells how the connection and its subscription fare.
class BenchHandler final : public ClientHandler {
public:
    BenchHandler(Context* context, Work* work) : ClientHandler(context), work_(*work) {}

    tortoise::Actions message(tortoise::Connection&, const tortoise::MessageView& m) override {
        work_.message(m);
        return {};
    }
    void undelivered(tortoise::Connection&, const tortoise::MessageView&, const tortoise::Error& why) override {
        work_.undelivered(why);
    }
    tortoise::Actions subscription(tortoise::Connection&, const tortoise::FilterStatus&) override;

private:
    Work& work_;
    bool subscribed_ = false;
};

} // namespace cli
