#pragma once
/// The certificates that users have for their tests, under the names that ours know.

#include <tortoise/testing/certificates.hpp>

namespace tortoise::test {

using testing::Authority;
using testing::Identity;
using testing::Subject;

} // namespace tortoise::test
