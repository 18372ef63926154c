#pragma once
/// Options for tests: quick to reconnect, patient otherwise.

#include "support/recorder.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tortoise/testing/broker.hpp>

namespace tortoise::test {

inline ConnectionOptions options_for(const std::string& url, Version version, const Recorder& recorder) {
    ConnectionOptions o;
    o.server = url;
    o.version = version;
    o.handler = recorder.factory();
    o.backoff = {.min = 1ms, .max = 20ms};
    return o;
}

inline std::string name_of(const ::testing::TestParamInfo<Version>& test) {
    return test.param == Version::v5 ? "v5" : "v3_1_1";
}

/// Test with both protocol versions.
class BothVersions : public ::testing::TestWithParam<Version> {
protected:
    Version version() const { return GetParam(); }
    ConnectionOptions options(const Recorder& recorder, const std::string& url) const {
        return options_for(url, version(), recorder);
    }
};

#define TORTOISE_BOTH_VERSIONS(suite)                                                                                  \
    INSTANTIATE_TEST_SUITE_P(, suite, ::testing::Values(Version::v3_1_1, Version::v5), name_of)

} // namespace tortoise::test
