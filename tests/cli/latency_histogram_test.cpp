// The histogram of tortoise bench: its quantiles against those of the sorted values.

#include "cli/latency_histogram.hpp"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace {

using cli::LatencyHistogram;
using std::chrono::nanoseconds;

TEST(LatencyHistogram, IsEmptyAtFirst) {
    const LatencyHistogram h;
    EXPECT_EQ(h.count(), 0u);
    EXPECT_EQ(h.quantile(0.5), nanoseconds(0));
    EXPECT_EQ(h.max(), nanoseconds(0));
}

TEST(LatencyHistogram, SmallValuesAreExact) {
    LatencyHistogram h;
    for (int i = 1; i <= 100; ++i) h.add(nanoseconds(i));
    EXPECT_EQ(h.quantile(0), nanoseconds(1));
    EXPECT_EQ(h.quantile(0.5), nanoseconds(50));
    EXPECT_EQ(h.quantile(0.99), nanoseconds(99));
    EXPECT_EQ(h.quantile(1), nanoseconds(100));
}

TEST(LatencyHistogram, QuantilesAreNeverTooLowAndAtMostOnePercentTooHigh) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponent(0, 62);
    LatencyHistogram h;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 100'000; ++i) {
        values.push_back(static_cast<std::int64_t>(std::exp2(exponent(random))));
        h.add(nanoseconds(values.back()));
    }
    std::sort(values.begin(), values.end());
    for (int i = 1; i <= 1000; ++i) {
        const double part = i / 1000.0;
        const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
        const auto exact = values[rank - 1];
        EXPECT_GE(h.quantile(part).count(), exact) << part;
        EXPECT_LE(static_cast<double>(h.quantile(part).count()), 1.01 * static_cast<double>(exact)) << part;
    }
    EXPECT_EQ(h.count(), values.size());
    EXPECT_EQ(h.max().count(), values.back());
}

TEST(LatencyHistogram, EveryEdgeOfABucketIsInIt) {
    for (unsigned bit = 0; bit < 63; ++bit) {
        for (const std::int64_t offset : {-1, 0, 1}) {
            const auto value = (std::int64_t{1} << bit) + offset;
            LatencyHistogram h;
            h.add(nanoseconds(value));
            EXPECT_EQ(h.quantile(0.5).count(), value); // not above the greatest
            h.add(nanoseconds::max());
            EXPECT_GE(h.quantile(0.5).count(), value);
            EXPECT_LE(h.quantile(0.5).count() - value, value / 100);
        }
    }
}

TEST(LatencyHistogram, TakesWhatADurationCanBe) {
    LatencyHistogram h;
    h.add(nanoseconds(-5));
    EXPECT_EQ(h.quantile(1), nanoseconds(0));
    h.add(nanoseconds::max());
    EXPECT_EQ(h.quantile(0.5), nanoseconds(0));
    EXPECT_EQ(h.quantile(1), nanoseconds::max());
}

} // namespace
