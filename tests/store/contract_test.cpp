// Both adaptors do what every adaptor has to do.
#include "support/store_contract.hpp"
#include <memory>

namespace test {
namespace {

/// A folder for each store; all are removed at the end of the program.
StoreMaker sqlite(tortoise::StoreOptions options) {
    return [options] {
        static std::vector<std::unique_ptr<Folder>> folders;
        folders.push_back(std::make_unique<Folder>());
        return Store(*folders.back() / "store.db", options);
    };
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreMaker([] { return Store::memory(); })));
INSTANTIATE_TEST_SUITE_P(OnDisk, StoreContract, testing::Values(sqlite({})));
INSTANTIATE_TEST_SUITE_P(Periodic, StoreContract,
                         testing::Values(sqlite({.durability = Durability::periodic,
                                                 .interval = std::chrono::hours(1)})));
// One change is too much already: every write is answered by the thread.
INSTANTIATE_TEST_SUITE_P(PeriodicAndSlow, StoreContract,
                         testing::Values(sqlite({.durability = Durability::periodic, .unwritten = 1})));

} // namespace
} // namespace test
