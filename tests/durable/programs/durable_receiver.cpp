// A program that is made to be killed: is given numbers at QoS 2, and says which of them it handled, and of which it is
// on disk that it did.
//   durable_receiver URL STORE VERSION
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <tortoise/store_adaptor.hpp>
#include <tortoise/tortoise.hpp>

using namespace tortoise;
using core::RecordChange;
using core::RecordKind;

namespace {

std::mutex mutex;             // of what is below
std::deque<std::string> open; // handled, in this order; that they were is not written yet

void say(const char* what, const std::string& number) {
    std::printf("%s %s\n", what, number.c_str());
    std::fflush(stdout);
}

/// A file, and word of what it keeps.
class Noting final : public StoreAdaptor {
public:
    explicit Noting(const std::string& path) : file_(path) {}
    Result<Done> ok() const { return file_.ok(); }

    Result<std::vector<core::Record>> load(std::string_view session) override {
        auto records = file_.adaptor()->load(session);
        if (records)
            for (const auto& record : *records)
                if (record.kind == RecordKind::inbound) ids_.insert(record.key);
        return records;
    }
    void release(std::string_view session) override { file_.adaptor()->release(session); }
    void write(std::string_view session, std::vector<RecordChange> changes, bool durable, OnKept kept) override {
        std::vector<std::string> handled;
        for (const auto& change : changes)
            if (change.record.kind == RecordKind::inbound && is_news(change)) {
                std::lock_guard lock(mutex);
                handled.push_back(open.front());
                open.pop_front();
            }
        file_.adaptor()->write(session, std::move(changes), durable,
                               [handled = std::move(handled), kept = std::move(kept)](const Error* failed) mutable {
                                   if (failed == nullptr)
                                       for (const auto& number : handled) say("kept", number);
                                   kept(failed);
                               });
    }
    bool busy() const noexcept override { return file_.adaptor()->busy(); }

private:
    /// A message that comes again is written down again, and not handled.
    bool is_news(const RecordChange& change) {
        if (change.action == RecordChange::Action::put) return ids_.insert(change.record.key).second;
        ids_.erase(change.record.key);
        return false;
    }
    Store file_;
    std::set<std::uint64_t> ids_; // of messages that were handled and not released
};

struct Numbers : Handler {
    Actions subscription(Connection&, const FilterStatus& filter) override {
        if (filter.kind == FilterStatus::Kind::up) say("subscribed", "");
        return {};
    }
    Actions message(Connection&, const MessageView& m) override {
        const std::string number(m.payload);
        say("handled", number);
        std::lock_guard lock(mutex);
        open.push_back(number);
        return {};
    }
};

} // namespace

int main(int count, char** words) {
    if (count != 4) return 2;
    auto* noting = new Noting(words[2]);
    const Store store(noting);
    if (const auto ok = noting->ok(); !ok) {
        std::fprintf(stderr, "%s\n", ok.error().describe().c_str());
        return 1;
    }
    const Connection connection({.client_id = "receiver",
                                 .server = words[1],
                                 .handler = make_handler<Numbers>(),
                                 .subscriptions = {{"numbers", QoS::exactly_once}},
                                 .version = std::string(words[3]) == "5" ? Version::v5 : Version::v3_1_1,
                                 .session = {.clean_start = false},
                                 .store = store});
    std::getchar(); // for ever
}
