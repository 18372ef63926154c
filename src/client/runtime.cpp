#include "io/loop.hpp"
#include <tortoise/runtime.hpp>

namespace tortoise {

Runtime::Runtime(unsigned threads) : loops_(io::Loops::make(threads)) {}
Runtime::Runtime(detail::Ref<io::Loops> loops) noexcept : loops_(std::move(loops)) {}
Runtime::Runtime(const Runtime&) noexcept = default;
Runtime& Runtime::operator=(const Runtime&) noexcept = default;
Runtime::~Runtime() = default;

Runtime Runtime::shared() {
    static Runtime runtime(1);
    return runtime;
}

Runtime Runtime::adopt(io::Loops* loops) noexcept { return Runtime(detail::Ref<io::Loops>::adopt(loops)); }

unsigned Runtime::threads() const noexcept { return loops_->size(); }
bool Runtime::on_loop_thread() noexcept { return io::Loop::on_any_thread(); }

} // namespace tortoise
