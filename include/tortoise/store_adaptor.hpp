#pragma once
/// What a Store is made of: for those who keep sessions in a place of their own.

#include <string_view>
#include <tortoise/core/record.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/store.hpp>
#include <vector>

namespace tortoise {

/// A keeper of records of one's own. `load` and `write` may be called from any thread, for different sessions at a
/// time; they must not throw.
class StoreAdaptor {
public:
    /// Called once, from any thread, in the order of the writes: when the changes are kept, or with the reason why not
    /// (Errc::store_failed). After a failure nothing of that session is written any more until it is released and loaded
    /// again; which must not be done from in here.
    using OnKept = Fn<void(const Error* failed)>;

    virtual ~StoreAdaptor() = default;
    /// Everything that is kept for the session, ordered by kind and key. Begins its use: a session that is in use
    /// already is Errc::store_locked. May block.
    virtual Result<std::vector<core::Record>> load(std::string_view session) = 0;
    /// Ends its use, behind the writes that were asked for. Does not wait for them.
    virtual void release(std::string_view session) = 0;
    /// Changes, in this order; all of them or none. Does not block. Changes without the `durable` wish may be written
    /// later, together with others; their order stays.
    virtual void write(std::string_view session, std::vector<core::RecordChange>, bool durable, OnKept) = 0;
    /// So much is unwritten that connections should wait with more. The OnKept of a write that was asked for follows.
    virtual bool busy() const noexcept = 0;
};

} // namespace tortoise
