#pragma once
/// The filters that are wanted, and what is asked of the broker to make it so.

#include "core/limits.hpp"
#include "core/ring.hpp"
#include "core/router.hpp"
#include "core/seldom.hpp"

#include <map>
#include <optional>
#include <string>
#include <tortoise/core/engine.hpp>
#include <vector>

namespace tortoise::core {

/// Desired state, reconciled with every connection. A filter's life:
///
///   state     event                        next      output
///   –         subscribe                    wanted
///   wanted    connection up                asked     SUBSCRIBE
///   asked     SUBACK grants                granted   result, FilterChanged
///   asked     SUBACK refuses, passing      wanted    result, FilterChanged; asked again after a backoff
///   asked     SUBACK refuses, for good     –         result, FilterChanged
///   asked     no reply in time             wanted    asked again; the late reply still counts
///   asked     connection lost              wanted
///   granted   subscribe again              wanted
///   granted   session lost                 wanted
///   granted   session kept                 wanted   and asked like the others: the broker may have
///                                                   forgotten it. FilterChanged only if its answer is a new one
///   any       unsubscribe                  leaving   UNSUBSCRIBE; done without one if the session is lost
///   leaving   UNSUBACK                     –         result, FilterChanged
class Subscriptions {
public:
    /// A SUBSCRIBE or UNSUBSCRIBE to be sent. The views live until the next call.
    struct Request {
        bool subscribe = true;
        std::vector<Subscribe::Entry> entries; // of an UNSUBSCRIBE only the filters count
        Router::Identifier identifier = 0;     // 0: none
    };

    /// Of an engine with these options, which outlive it.
    explicit Subscriptions(const EngineOptions& options) : options_(options) {}

    void subscribe(std::vector<TopicFilter>, Route, Token, std::vector<Event>&);
    void unsubscribe(std::vector<std::string>, Token, std::vector<Event>&);

    /// `same_session`: the session that is present is certainly the one that we know.
    void connected(bool session_present, bool same_session, std::vector<Event>&);
    /// Returns the identifiers of the requests that will get no reply.
    std::vector<PacketId> disconnected(std::vector<Event>&);
    /// Ends every operation that is open.
    void stop(const Error&, std::vector<Event>&);

    /// What to send next; then asked() tells under which identifier it was sent.
    std::optional<Request> next(const Limits&, std::vector<Event>&);
    void asked(Time now, PacketId);
    /// Is this the identifier of a request of that kind that has no reply yet?
    bool awaits(PacketId, bool subscribe) const;
    /// The broker's reply to awaits(); false if it does not have a reason per filter.
    bool replied(Time now, PacketId, bool subscribe, const std::vector<Reason>&, PropertiesView, std::vector<Event>&);

    std::optional<Time> reply_due() const;
    std::optional<Time> retry_due() const;
    /// False if the broker left a filter so often without a reply that it should be given up.
    bool elapsed(Time now, std::vector<Event>&);

    /// While we do not read, for the user's sake, nobody can have replied.
    void hold(Time now, bool held);

    /// Appends the routes of a message, each once; nothing: the default one. `identified`: the broker sends
    /// identifiers.
    void find_routes(std::string_view topic, PropertiesView properties, bool identified,
                     std::vector<Route>& into) const {
        if (router_ && router_->divides()) router_->find(topic, properties, identified, into);
    }
    std::vector<Snapshot::Filter> list() const;

private:
    struct Waiter {
        std::uint64_t operation;
        std::size_t index;
    };
    struct Operation {
        Token token;
        bool subscribe;
        std::size_t open;
        std::vector<std::optional<Result<Grant>>> results;
    };
    enum class State : std::uint8_t { wanted, asked, granted };
    struct Wanted {
        SubscribeOptions options = {};
        Route route = 0;
        std::uint64_t order = 0;      // of being wanted first
        std::uint64_t generation = 0; // of being wanted last: a reply to an earlier request says nothing about it
        State state = State::wanted;
        bool confirm = false; // the broker granted it, and says that it kept the session: it ought to have it
        Grant grant = {};
        unsigned refusals = 0;
        unsigned unanswered = 0; // requests, on this connection
        std::optional<Time> retry_at = {};
        std::vector<Waiter> waiters = {};
    };
    struct Leaving {
        bool asked = false;
        unsigned unanswered = 0;
        std::uint64_t generation = 0;
        std::vector<Waiter> waiters = {};
    };
    struct Todo {
        bool subscribe;
        std::string filter;
    };
    struct AskedEntry {
        std::string filter;
        QoS requested = QoS::at_most_once;
        std::uint64_t generation = 0;
        std::vector<Waiter> waiters;
    };
    struct Asked {
        bool subscribe;
        std::optional<Time> reply_by; // nothing: overdue, and asked again
        std::vector<AskedEntry> entries;
    };

    void answer(const Waiter&, const Result<Grant>&, std::vector<Event>&);
    void answer(std::vector<Waiter>&, const Result<Grant>&, std::vector<Event>&);
    std::uint64_t open(Token, bool subscribe, std::size_t count, std::vector<Event>&);
    void want(TopicFilter, Route, Waiter, std::vector<Event>&);
    void reject(const std::string& filter, const Waiter&, const Error&, std::vector<Event>&);
    std::optional<Excess> too_much(const TopicFilter&) const;
    void leave(std::string, Waiter, std::vector<Event>&);
    void granted(Time, AskedEntry&, Reason, PropertiesView, std::vector<Event>&);
    void left(AskedEntry&, Reason, PropertiesView, std::vector<Event>&);
    void ask_again(Asked&, std::vector<Event>&);
    bool count_unanswered(const Asked&);
    bool still_to_do(const Todo&) const;
    Router::Identifier identifier_of(const Todo&, const Limits&) const;
    static std::optional<Error> refused_here(const Todo&, const Limits&);
    void refuse(const std::string& filter, Wanted&, Error, std::vector<Event>&);

    const EngineOptions& options_;
    std::map<std::string, Wanted, std::less<>> filters_;
    std::map<std::string, Leaving, std::less<>> leaving_;
    Ring<Todo> todo_;                // what to ask; entries may be out of date
    std::vector<AskedEntry> asking_; // between next() and asked()
    bool asking_subscribe_ = true;
    std::map<PacketId, Asked> asked_;
    std::multimap<Time, std::string> retries_; // entries may be out of date
    std::map<std::uint64_t, Operation> operations_;
    std::uint64_t next_operation_ = 1, next_generation_ = 1;
    Seldom<Router> router_; // there has been a filter
    bool held_ = false;
};

} // namespace tortoise::core
