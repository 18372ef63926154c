#include "io/keeper.hpp"

namespace tortoise::io {

Keeper::Keeper(Loop& loop, StoreAdaptor& adaptor, std::string session, Fn<void()> changed)
    : loop_(loop), adaptor_(adaptor), session_(std::move(session)), changed_(std::move(changed)) {}

void Keeper::write(std::vector<core::RecordChange> changes, bool durable) {
    ++asked_;
    if (durable) needed_ = asked_;
    adaptor_.write(session_, std::move(changes), durable, [this](const Error* failed) { answered(failed); });
}

// Any thread. Posted with the lock held: once the answer counts, look() may be the last that is done with this.
void Keeper::answered(const Error* failed) {
    std::lock_guard lock(mutex_);
    ++answers_;
    if (failed && !refusal_) refusal_ = *failed;
    if (!std::exchange(posted_, true)) loop_.post([this] { look(); });
}

void Keeper::look() {
    {
        std::lock_guard lock(mutex_);
        posted_ = false;
        kept_ = answers_;
        failure_ = refusal_;
    }
    changed_();
}

} // namespace tortoise::io
