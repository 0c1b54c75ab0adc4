// Which faults there are, how they are asked for and counted; how frames are cut up.
#include "tests/simulator/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/core/status.h"
#include "tests/simulator/frames.h"

namespace voicebridge::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<Fault> Parse(std::string_view text) { return ParseFault(text); }
absl::StatusOr<Fault> FaultOf(std::string_view text) { return ParseFault(*ParseObject(text)); }

TEST(FaultKinds, HaveOneNameAndOneIdEach) {
  std::set<std::string_view> names;
  std::set<FaultId> ids;
  for (const FaultKind& kind : FaultKinds()) {
    names.insert(kind.name);
    ids.insert(kind.id);
    EXPECT_EQ(FindFaultKind(kind.name), &kind);
    EXPECT_EQ(KindOf(kind.id).name, kind.name);
    EXPECT_THAT(ExplainFaults(), HasSubstr(kind.Usage()));
  }
  EXPECT_EQ(names.size(), FaultKinds().size());
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(FaultId::kResponsesGarbage) + 1);
}

TEST(Faults, AreReadFromTheCommandLine) {
  EXPECT_EQ(Parse("refuse:503")->number, 503U);
  EXPECT_EQ(Parse("mute")->number, std::nullopt);
  EXPECT_EQ(Parse("mute:4")->Text(), "mute:4");
  EXPECT_EQ(Parse("response_fail")->word, "rate_limit_exceeded");
  EXPECT_EQ(Parse("response_fail:content_filter")->Text(), "response_fail:content_filter");
  EXPECT_EQ(Parse("drop")->Text(), "drop");
}

TEST(Faults, NameTheKnownOnesWhenOneIsUnknown) {
  const std::string message = Message(Parse("explode").status());
  EXPECT_THAT(message, HasSubstr("fault 'explode'"));
  for (const FaultKind& kind : FaultKinds()) {
    EXPECT_THAT(message, HasSubstr(kind.Usage()));
  }
}

TEST(Faults, SayWhatIsWrongWithAnArgument) {
  EXPECT_THAT(Message(Parse("refuse").status()), HasSubstr("refuse:STATUS"));
  EXPECT_THAT(Message(Parse("refuse:42").status()), HasSubstr("STATUS from 300 to 599"));
  EXPECT_THAT(Message(Parse("response_fail:x").status()), HasSubstr("rate_limit_exceeded"));
  for (const std::string_view text :
       {"refuse:x", "drop:1", "drop_after:", "close_with:5000", "huge_frame:0", "mute:-1"}) {
    EXPECT_THAT(Message(Parse(text).status()), HasSubstr("arg ")) << text;
  }
}

TEST(Faults, SayWhatIsWrongWithARequest) {
  EXPECT_THAT(Message(FaultOf(R"({"fault":"drop","when":1})").status()), HasSubstr("when: "));
  EXPECT_THAT(Message(FaultOf(R"({"fault":"drop","count":0})").status()), HasSubstr("count: "));
  EXPECT_THAT(Message(FaultOf(R"({"fault":"drop","count":"2"})").status()), HasSubstr("count: "));
  EXPECT_THAT(Message(FaultOf(R"({"fault":"drop","times":2})").status()), HasSubstr("times: "));
  EXPECT_THAT(Message(FaultOf(R"({"fault":"bad_key","session":"s"})").status()),
              HasSubstr("session: "));
  EXPECT_THAT(Message(FaultOf(R"({"fault":"drop","session":"s","count":1})").status()),
              HasSubstr("count: "));
  EXPECT_THAT(Message(FaultOf(R"({"arg":1})").status()), HasSubstr("fault ''"));
}

TEST(Faults, HitAsManySessionsAsAskedFor) {
  Faults faults;
  faults.Add(*FaultOf(R"({"fault":"refuse","arg":"429","count":1})"));
  faults.Add(*FaultOf(R"({"fault":"mute","arg":3,"count":2})"));
  faults.Add(*Parse("configure_delay:250"));
  EXPECT_EQ(faults.TakeForUpgrade(FaultId::kRefuse)->number, 429U);
  EXPECT_FALSE(faults.TakeForUpgrade(FaultId::kRefuse));
  EXPECT_EQ(faults.TakeForSession().Number(FaultId::kMute), 3U);
  EXPECT_TRUE(faults.TakeForSession().Has(FaultId::kMute));
  const ActiveFaults third = faults.TakeForSession();
  EXPECT_FALSE(third.Has(FaultId::kMute));
  EXPECT_EQ(third.Milliseconds(FaultId::kConfigureDelay), milliseconds(250));
}

TEST(Faults, OfCallsAreNotTakenBySessions) {
  Faults faults;
  faults.Add(*FaultOf(R"({"fault":"responses_hang","count":1})"));
  faults.Add(*FaultOf(R"({"fault":"drop","count":1})"));
  EXPECT_FALSE(faults.TakeForSession().Has(FaultId::kResponsesHang));
  const ActiveFaults call = faults.TakeForCall();
  EXPECT_TRUE(call.Has(FaultId::kResponsesHang));
  EXPECT_FALSE(call.Has(FaultId::kDrop));
  EXPECT_TRUE(faults.ToJson().empty());
}

TEST(Faults, OfTurnsHappenAsOftenAsAskedFor) {
  ActiveFaults faults;
  faults.Add(*FaultOf(R"({"fault":"response_fail","arg":"server_error","times":2})"));
  EXPECT_EQ(faults.Take(FaultId::kResponseFail)->word, "server_error");
  EXPECT_TRUE(faults.Take(FaultId::kResponseFail));
  EXPECT_FALSE(faults.Take(FaultId::kResponseFail));
  EXPECT_EQ(faults.ToJson(), json::array{"response_fail:server_error"});
  faults.Add(*Parse("response_fail"));
  EXPECT_TRUE(faults.Take(FaultId::kResponseFail));
  EXPECT_TRUE(faults.Take(FaultId::kResponseFail));
}

TEST(Frames, CarryAnyLength) {
  EXPECT_EQ(TextFrame("hi"), "\x81\x02hi");
  EXPECT_EQ(TextFrame(std::string(300, 'x')).substr(0, 4), std::string("\x81\x7e\x01\x2c", 4));
  EXPECT_EQ(TextFrame(std::string(70000, 'x')).substr(0, 10),
            std::string("\x81\x7f\0\0\0\0\0\x01\x11\x70", 10));
}

TEST(Frames, AreCutIntoFragments) {
  EXPECT_THAT(FragmentedText("abcdef"), ElementsAre(std::string("\x01\x01"
                                                                "a"),
                                                    std::string("\0\x02"
                                                                "bc",
                                                                4),
                                                    std::string("\0\x03"
                                                                "def",
                                                                5),
                                                    std::string("\x80\0", 2)));
  EXPECT_EQ(FragmentedText("").size(), 4U);
}

TEST(Frames, AreCutIntoEverLongerPieces) {
  EXPECT_THAT(PiecesOf("abcdefghij"), ElementsAre("a", "bc", "defg", "hij"));
  EXPECT_TRUE(PiecesOf("").empty());
}

}  // namespace
}  // namespace voicebridge::simulator
