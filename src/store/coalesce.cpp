#include "store/coalesce.hpp"
#include <algorithm>

namespace tortoise::store {
namespace {

using Action = core::RecordChange::Action;

/// What was done to a record so far.
class Sum {
public:
    explicit Sum(const Step& first) : step_(first) {
        // Marks of what is not there and erasing it do nothing; it is as if nothing had been asked.
        if (first.is_new && first.action != Action::put) nothing_ = true;
    }

    void then(const Step& next) {
        if (next.action == Action::put) {
            const bool is_new = step_.is_new;
            step_ = next;
            step_.is_new = is_new;
            nothing_ = false;
        } else if (next.action == Action::erase) {
            step_.action = Action::erase;
            nothing_ = step_.is_new;
        } else if (!nothing_ && step_.action != Action::erase) {
            step_.mark = next.mark;
        }
    }

    const Step* step() const { return nothing_ ? nullptr : &step_; }

private:
    Step step_;
    bool nothing_ = false;
};

} // namespace

void coalesce(std::vector<Step>& steps) {
    std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.id < b.id; });
    auto kept = steps.begin();
    for (auto at = steps.cbegin(); at != steps.cend();) {
        Sum sum(*at);
        const auto id = at->id;
        while (++at != steps.cend() && at->id == id) sum.then(*at);
        if (const auto* step = sum.step()) *kept++ = *step;
    }
    steps.erase(kept, steps.end());
}

} // namespace tortoise::store
