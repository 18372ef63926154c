#include "testing/test_error.hpp"
#include <string>

namespace tortoise::testing {

namespace {

class Category final : public std::error_category {
public:
    const char* name() const noexcept override { return "tortoise testing"; }
    std::string message(int finding) const override {
        switch (static_cast<Finding>(finding)) {
        case Finding::script_not_followed: return "the script was not followed";
        case Finding::books_do_not_balance: return "the books do not balance";
        case Finding::promise_broken: return "a promise was broken";
        case Finding::not_at_rest: return "not everything has come to its end";
        }
        return "unknown";
    }
};

} // namespace

std::error_code make_error_code(Finding finding) noexcept {
    static const Category category;
    return {static_cast<int>(finding), category};
}

} // namespace tortoise::testing
