#include <tortoise/handler.hpp>

namespace tortoise {

std::string_view to_string(Status status) noexcept {
    switch (status) {
    case Status::connecting: return "connecting";
    case Status::up: return "up";
    case Status::down: return "down";
    case Status::stopped: return "stopped";
    }
    return "unknown status";
}

HandlerFactory::HandlerFactory(Fn<Handler*()> make) {
    if (make) maker_ = detail::Ref<Maker>::adopt(new Maker(std::move(make)));
}

Handler* HandlerFactory::make() const { return maker_ ? maker_->make() : nullptr; }

} // namespace tortoise
