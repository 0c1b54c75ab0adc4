#include "tests/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace voicebridge::load {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, OfNothingIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.Percentile(0.5), Duration::zero());
  EXPECT_EQ(histogram.Mean(), Duration::zero());
}

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (int value = 1; value <= 100; ++value) {
    histogram.Add(nanoseconds(value));
  }
  EXPECT_EQ(histogram.Percentile(0.5), nanoseconds(50));
  EXPECT_EQ(histogram.Percentile(0.99), nanoseconds(99));
  EXPECT_EQ(histogram.Percentile(1), nanoseconds(100));
  EXPECT_EQ(histogram.Percentile(0), nanoseconds(1));
  EXPECT_EQ(histogram.Mean(), nanoseconds(50));
}

TEST(Histogram, NeverIsBelowTheSortedValuesNorMoreThanThreeQuartersOfAPercentAbove) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> latencies(13, 2);  // Around 0.4 ms, with a long tail.
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::int64_t>(latencies(random)));
    histogram.Add(nanoseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000)) - 1;
    const auto got = nanoseconds(histogram.Percentile(share)).count();
    EXPECT_GE(got, values[rank]) << share;
    EXPECT_LE(static_cast<double>(got), static_cast<double>(values[rank]) * 1.0079) << share;
  }
  EXPECT_EQ(nanoseconds(histogram.max()).count(), values.back());
}

TEST(Histogram, TakesWhatIsOutOfRange) {
  Histogram histogram;
  histogram.Add(nanoseconds(-5));
  histogram.Add(hours(5));
  EXPECT_EQ(histogram.Percentile(0.5), Duration::zero());
  EXPECT_GT(histogram.max(), std::chrono::minutes(18));
}

TEST(Histogram, MergesWithAnother) {
  Histogram low;
  Histogram high;
  low.Add(nanoseconds(1));
  high.Add(nanoseconds(100));
  high.Add(nanoseconds(101));
  low.Merge(high);
  EXPECT_EQ(low.count(), 3U);
  EXPECT_EQ(low.Percentile(0.5), nanoseconds(100));
  EXPECT_EQ(low.max(), nanoseconds(101));
}

}  // namespace
}  // namespace voicebridge::load
