#include "jackalope/adapter.hpp"
#include "jackalope/real_office.hpp"
#include <cstdio>
#include <memory>

namespace jackalope {

namespace {

using tortoise::Actions;
using tortoise::Connection;
using tortoise::Errc;
using tortoise::Error;
using tortoise::FilterStatus;
using tortoise::MessageView;
using tortoise::Status;

class ErrorLogger final : public Handler {
    void connection(Session& s, ConnectionStatus, const Error& why) override {
        if (why.code && why.code != Errc::stopped) log(s, "offline: " + why.describe());
    }
    void subscription(Session& s, const FilterStatus& f) override {
        if (f.kind == FilterStatus::Kind::refused)
            log(s, "filter '" + std::string(f.filter) + "' refused: " + f.reason.describe());
    }
    void error(Session& s, const WorkError& e) override {
        log(s, "'" + std::string(e.message.topic) + "' not delivered: " + e.why.describe());
    }
    static void log(const Session& s, const std::string& text) {
        const auto line = "jackalope '" + std::string(s.client_id()) + "': " + text + "\n";
        std::fputs(line.c_str(), stderr);
    }
};

class Adapter final : public tortoise::Handler {
public:
    explicit Adapter(jackalope::Handler* handler) : handler_(handler) {}

    void init(Connection& c) override { session_.emplace(Session::Office::session(office_of(c))); }
    Actions connection(Connection&, const tortoise::StatusInfo& info) override {
        if (info.status == Status::up)
            handler_->connection(*session_, ConnectionStatus::online, {});
        else if (info.status != Status::connecting)
            handler_->connection(*session_, ConnectionStatus::offline, info.reason);
        return {};
    }
    Actions subscription(Connection&, const FilterStatus& f) override {
        handler_->subscription(*session_, f);
        return {};
    }
    Actions message(Connection&, const MessageView& m) override {
        handler_->message(*session_, m);
        return {};
    }
    void undelivered(Connection&, const MessageView& m, const Error& why) override {
        handler_->error(*session_, {m, why});
    }
    std::optional<tortoise::Will> last_will() override { return handler_->last_will(); }

private:
    const std::unique_ptr<jackalope::Handler> handler_;
    std::optional<Session> session_;
};

} // namespace

Handler* make_one(const HandlerFactory& make) { return make ? make() : new ErrorLogger; }

tortoise::HandlerFactory adapted(HandlerFactory make) {
    return tortoise::HandlerFactory([make = std::move(make)]() -> tortoise::Handler* {
        auto* const handler = make_one(make);
        return handler ? new Adapter(handler) : nullptr;
    });
}

} // namespace jackalope
