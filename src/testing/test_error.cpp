#include "testing/test_error.hpp"
#include <string>

namespace tortoise::testing {

namespace {

class Category final : public std::error_category {
public:
    const char* name() const noexcept override { return "tortoise testing"; }
    std::string message(int finding) const override {
        return static_cast<Finding>(finding) == Finding::script_not_followed ? "the script was not followed"
                                                                             : "the books do not balance";
    }
};

} // namespace

std::error_code make_error_code(Finding finding) noexcept {
    static const Category category;
    return {static_cast<int>(finding), category};
}

} // namespace tortoise::testing
