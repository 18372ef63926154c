#include "client/stream.hpp"
#include "client/core.hpp"
#include <algorithm>
#include <exception>

namespace tortoise {

namespace {

StreamOptions sane(StreamOptions options) {
    options.messages = std::max(options.messages, std::size_t{1});
    options.bytes = std::max(options.bytes, std::size_t{1});
    return options;
}

} // namespace

Stream::Core::Core(detail::Ref<Connection::Core> connection, std::vector<TopicFilter> filters, StreamOptions options)
    : connection_(std::move(connection)), filters_(std::move(filters)), options_(sane(options)),
      acknowledges_(connection_->acknowledge_mode() == Acknowledge::automatic) {}

void Stream::Core::begin() { granted_ = connection_->subscribe(filters_, detail::Ref<Core>::share(this)); }

bool Stream::Core::over() const noexcept { return queue_.size() >= options_.messages || bytes_ >= options_.bytes; }

/// To whoever waits; false if nobody does.
bool Stream::Core::give(Entry& entry, std::unique_lock<std::mutex>& lock) {
    while (!waiting_.empty()) {
        const auto to = std::move(waiting_.front());
        waiting_.pop_front();
        if (to->abandoned()) continue; // nobody would see it
        if (acknowledges_ && entry.id != 0) given_.push_back(entry.id);
        lock.unlock();
        to->answer(std::move(entry.message));
        return true;
    }
    return false;
}

bool Stream::Core::take(const MessageView& view, core::InboundId id) {
    Entry entry{Message(view), id};
    const bool keeps = acknowledges_ && id != 0;
    std::unique_lock lock(mutex_);
    if (ended_) return decline(id, lock);
    if (give(entry, lock)) return keeps;
    if (over() && options_.overflow != StreamOverflow::hold_back) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        if (options_.overflow == StreamOverflow::drop_newest) return decline(id, lock);
        drop_oldest();
    }
    bytes_ += entry.size();
    queue_.push_back(std::move(entry));
    full_ |= over() && options_.overflow == StreamOverflow::hold_back;
    if (full_ || !handled_.empty()) tell(lock);
    return keeps;
}

/// Not taken, and so acknowledged by the connection; which leaves that to the user, who will not see it.
bool Stream::Core::decline(core::InboundId id, std::unique_lock<std::mutex>& lock) {
    if (acknowledges_ || id == 0) return false;
    handled_.push_back(id);
    tell(lock);
    return false;
}

void Stream::Core::drop_oldest() {
    const auto& oldest = queue_.front();
    bytes_ -= oldest.size();
    if (oldest.id != 0) handled_.push_back(oldest.id);
    queue_.pop_front();
}

void Stream::Core::handled_what_was_given() {
    handled_.insert(handled_.end(), given_.begin(), given_.end());
    given_.clear();
}

std::optional<Message> Stream::Core::pull() {
    handled_what_was_given();
    if (queue_.empty()) return std::nullopt;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    bytes_ -= entry.size();
    if (acknowledges_ && entry.id != 0) given_.push_back(entry.id);
    if (queue_.size() <= options_.messages / 2 && bytes_ <= options_.bytes / 2) full_ = false;
    return std::move(entry.message);
}

std::optional<Message> Stream::Core::try_next() {
    std::unique_lock lock(mutex_);
    auto message = pull();
    tell(lock);
    return message;
}

Pending<Message> Stream::Core::next() {
    std::unique_lock lock(mutex_);
    if (auto message = pull()) {
        tell(lock);
        return Pending<Message>(Result<Message>(*std::move(message)));
    }
    if (ended_) return Pending<Message>(Result<Message>(*ended_));
    while (!waiting_.empty() && waiting_.front()->abandoned()) waiting_.pop_front();
    auto next = detail::Ref<Next>::adopt(new Next);
    next->set_canceller([self = detail::Ref<Core>::share(this), n = next.get()] { self->withdraw(n); });
    waiting_.push_back(next);
    tell(lock);
    return Pending<Message>(std::move(next));
}

void Stream::Core::withdraw(Next* next) {
    detail::Ref<Next> withdrawn;
    {
        std::lock_guard lock(mutex_);
        const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.get() == next; });
        if (at == waiting_.end()) return; // it has its message
        withdrawn = std::move(*at);
        waiting_.erase(at);
    }
    withdrawn->answer(make_error(Errc::cancelled));
}

/// One call for all that piled up until it is made.
void Stream::Core::tell(std::unique_lock<std::mutex>& lock) {
    if (told_) return;
    told_ = true;
    lock.unlock();
    retain();
    connection_->listen_to(detail::Ref<Core>::adopt(this));
}

Stream::Core::News Stream::Core::news() {
    std::lock_guard lock(mutex_);
    told_ = false;
    return {std::exchange(handled_, {}), full_ && !ended_};
}

void Stream::Core::end(const Error& why) {
    std::deque<detail::Ref<Next>> waiting;
    {
        std::unique_lock lock(mutex_);
        if (ended_) return;
        ended_ = why;
        waiting.swap(waiting_);
        tell(lock);
    }
    std::exception_ptr thrown; // by a continuation
    for (const auto& next : waiting) {
        try {
            next->answer(why);
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    if (thrown) std::rethrow_exception(thrown);
}

void Stream::Core::close() {
    {
        std::unique_lock lock(mutex_);
        if (std::exchange(closed_, true)) return;
        handled_what_was_given();
        for (const auto& entry : queue_)
            if (entry.id != 0) handled_.push_back(entry.id);
        queue_.clear();
        bytes_ = 0;
        tell(lock);
    }
    end(make_error(Errc::cancelled, "the stream was closed"));
    connection_->unsubscribe_owned(filters_, this);
}

Stream::Stream(const Connection& connection, std::vector<TopicFilter> filters, StreamOptions options)
    : core_(detail::Ref<Core>::adopt(new Core(Connection::Core::of(connection), std::move(filters), options))) {
    core_->begin();
}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
    Stream taken(std::move(other));
    std::swap(core_, taken.core_);
    return *this;
}
Stream::~Stream() {
    if (core_) core_->close();
}

Pending<std::vector<Result<Grant>>> Stream::granted() const { return core_->granted(); }
Pending<Message> Stream::next() { return core_->next(); }
Result<Message> Stream::next(Duration at_most) {
    const auto next = core_->next();
    auto got = next.wait(at_most);
    if (got || next.done()) return next.done() ? *next.peek() : got;
    next.cancel(); // it may have come meanwhile
    return next.done() && *next.peek() ? *next.peek() : got;
}
std::optional<Message> Stream::try_next() { return core_->try_next(); }
std::uint64_t Stream::dropped() const noexcept { return core_->dropped(); }
void Stream::close() { core_->close(); }

} // namespace tortoise
