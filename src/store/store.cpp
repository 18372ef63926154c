#include "store/memory.hpp"
#include "store/sqlite.hpp"
#include <atomic>
#include <memory>
#include <tortoise/store.hpp>

namespace tortoise {

struct Store::Shared {
    std::unique_ptr<StoreAdaptor> adaptor = {};
    Result<Done> opened = Done();
    std::atomic<int> references{1};

    void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
};

Store::Store(std::string path, StoreOptions options) : shared_(detail::Ref<Shared>::adopt(new Shared)) {
    auto file = store::open_file(path);
    if (file)
        shared_->adaptor.reset(store::new_sqlite(*std::move(file), options));
    else
        shared_->opened = std::move(file).error();
}

Store::Store(StoreAdaptor* adaptor) : shared_(detail::Ref<Shared>::adopt(new Shared)) {
    shared_->adaptor.reset(adaptor);
}

Store Store::memory() { return Store(store::new_memory()); }

Store::Store() noexcept = default;
Store::Store(const Store&) noexcept = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store other) noexcept {
    shared_ = std::move(other.shared_);
    return *this;
}
Store::~Store() = default;

Result<Done> Store::ok() const { return shared_ ? shared_->opened : Done(); }
StoreAdaptor* Store::adaptor() const noexcept { return shared_ ? shared_->adaptor.get() : nullptr; }

} // namespace tortoise
