#include "common/core/end_reason.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

namespace voicebridge {
namespace {

TEST(EndReason, EachReasonIsDescribedByItsOwnRow) {
  for (int value = 0; value < v1::EndReason_ARRAYSIZE; ++value) {
    EXPECT_EQ(TraitsOf(static_cast<EndReason>(value)).reason, value);
  }
}

TEST(EndReason, TheWordIsTheNameInThePublicProtocol) {
  std::set<std::string_view> words;
  for (int value = 0; value < v1::EndReason_ARRAYSIZE; ++value) {
    const EndReasonTraits& traits = TraitsOf(static_cast<EndReason>(value));
    std::string name = v1::EndReason_Name(traits.reason).substr(std::string("END_REASON_").size());
    for (char& character : name) {
      character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
    EXPECT_EQ(traits.word, name);
    words.insert(traits.word);
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(v1::EndReason_ARRAYSIZE));
}

TEST(EndReason, OnlyCloseCodesOfTheContractAreUsed) {
  for (int value = 0; value < v1::EndReason_ARRAYSIZE; ++value) {
    EXPECT_THAT(TraitsOf(static_cast<EndReason>(value)).close_code,
                testing::AnyOf(1000, 1001, 1008, 1011, 1012, 1013));
  }
}

TEST(EndReason, OnlyARequestOfTheClientCountsAsOk) {
  for (int value = 0; value < v1::EndReason_ARRAYSIZE; ++value) {
    const EndReasonTraits& traits = TraitsOf(static_cast<EndReason>(value));
    EXPECT_EQ(traits.status == absl::StatusCode::kOk,
              traits.reason == v1::END_REASON_CLIENT_CLOSED);
  }
}

TEST(EndReason, TheOnesThatTestsAndOperatorsRelyOnKeepTheirCodes) {
  EXPECT_EQ(TraitsOf(v1::END_REASON_CLIENT_CLOSED).close_code, 1000);
  EXPECT_EQ(TraitsOf(v1::END_REASON_DRAINING).close_code, 1001);
  EXPECT_EQ(TraitsOf(v1::END_REASON_SLOW_CLIENT).close_code, 1008);
  EXPECT_EQ(TraitsOf(v1::END_REASON_INTERNAL).close_code, 1011);
  EXPECT_EQ(TraitsOf(v1::END_REASON_NO_WORKER).close_code, 1013);
  EXPECT_EQ(TraitsOf(v1::END_REASON_SUPERSEDED).status, absl::StatusCode::kAborted);
}

TEST(EndReason, AReasonOfANewerPeerIsTreatedAsInternal) {
  EXPECT_EQ(TraitsOf(static_cast<EndReason>(v1::EndReason_ARRAYSIZE)).reason,
            v1::END_REASON_INTERNAL);
  EXPECT_EQ(TraitsOf(static_cast<EndReason>(-1)).reason, v1::END_REASON_INTERNAL);
}

}  // namespace
}  // namespace voicebridge
