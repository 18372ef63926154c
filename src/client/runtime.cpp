#include "io/loop.hpp"
#include <tortoise/runtime.hpp>

namespace tortoise {

Runtime::Runtime(unsigned threads) : loops_(io::Loops::make(threads)) {}
Runtime::Runtime(const Runtime&) noexcept = default;
Runtime& Runtime::operator=(const Runtime&) noexcept = default;
Runtime::~Runtime() = default;

Runtime Runtime::shared() {
    static Runtime runtime(1);
    return runtime;
}

unsigned Runtime::threads() const noexcept { return loops_->size(); }
bool Runtime::on_loop_thread() noexcept { return io::Loop::on_any_thread(); }

} // namespace tortoise
