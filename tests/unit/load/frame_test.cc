#include "tests/load/frame.h"

#include <gtest/gtest.h>

#include "tests/load/echo_ledger.h"

namespace voicebridge::load {
namespace {

constexpr std::size_t kBytes = 1920;

std::string Frame(const FrameStamp& stamp) {
  std::string frame;
  WriteFrame(stamp, kBytes, frame);
  return frame;
}

std::uint64_t DigestOf(std::initializer_list<std::string_view> pieces) {
  StreamDigest digest;
  for (const std::string_view piece : pieces) {
    digest.Add(piece);
  }
  return digest.value();
}

TEST(Frame, CarriesItsStamp) {
  const auto stamp = ReadStamp(Frame({17, 123456, 40'000'000, 99}));
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->session, 17U);
  EXPECT_EQ(stamp->sequence, 123456U);
  EXPECT_EQ(stamp->due_ns, 40'000'000);
  EXPECT_EQ(stamp->run, 99U);
}

TEST(Frame, DiffersFromEveryOtherInItsNoise) {
  const auto noise = [](const FrameStamp& stamp) { return Frame(stamp).substr(kStampBytes); };
  EXPECT_EQ(noise({1, 2, 0, 3}), noise({1, 2, 0, 3}));
  EXPECT_NE(noise({1, 2, 0, 3}), noise({1, 3, 0, 3}));
  EXPECT_NE(noise({1, 2, 0, 3}), noise({2, 2, 0, 3}));
  EXPECT_NE(noise({1, 2, 0, 3}), noise({1, 2, 0, 4}));
}

TEST(Frame, IsToldFromOtherAudio) {
  EXPECT_FALSE(ReadStamp(std::string(kBytes, '\0')));
  EXPECT_FALSE(ReadStamp(Frame({}).substr(0, kStampBytes - 1)));
}

TEST(StreamDigest, DoesNotDependOnTheCut) {
  const std::string bytes = Frame({1, 2, 3, 4});
  const std::uint64_t whole = DigestOf({bytes});
  for (const std::size_t cut : {1U, 7U, 8U, 9U, 1000U, 1919U}) {
    EXPECT_EQ(
        DigestOf({std::string_view(bytes).substr(0, cut), "", std::string_view(bytes).substr(cut)}),
        whole)
        << cut;
  }
}

TEST(StreamDigest, NoticesEveryChangedByteAndTheOrder) {
  const std::string bytes = Frame({1, 2, 3, 4}).substr(0, 67);  // Not a multiple of eight.
  const std::uint64_t whole = DigestOf({bytes});
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_NE(DigestOf({changed}), whole) << at;
  }
  EXPECT_NE(DigestOf({"abcdefgh", "ijklmnop"}), DigestOf({"ijklmnop", "abcdefgh"}));
  EXPECT_NE(DigestOf({bytes.substr(0, 66)}), whole);
}

TEST(EchoLedger, CountsWhatComesBack) {
  EchoLedger ledger(10);
  for (int i = 0; i < 5; ++i) {
    ledger.Sent();
  }
  EXPECT_TRUE(ledger.Returned(0));
  EXPECT_TRUE(ledger.Returned(3));
  EXPECT_TRUE(ledger.Returned(1));   // After a later one.
  EXPECT_FALSE(ledger.Returned(3));  // Once more.
  EXPECT_FALSE(ledger.Returned(5));  // Never sent.
  EXPECT_EQ(ledger.counts().sent, 5U);
  EXPECT_EQ(ledger.counts().echoed, 3U);
  EXPECT_EQ(ledger.counts().Lost(), 2U);
  EXPECT_EQ(ledger.counts().reordered, 1U);
  EXPECT_EQ(ledger.counts().duplicated, 1U);
  EXPECT_EQ(ledger.counts().foreign, 1U);
}

TEST(EchoLedger, FindsNothingWrongWithAPlainEcho) {
  EchoLedger ledger(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    ledger.Sent();
    EXPECT_TRUE(ledger.Returned(i));
  }
  EXPECT_EQ(ledger.counts().Lost() + ledger.counts().reordered + ledger.counts().duplicated, 0U);
}

}  // namespace
}  // namespace voicebridge::load
