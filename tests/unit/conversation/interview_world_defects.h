// Defects planted between the conversation and its world, to see that the watches see them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "bridge_worker/conversation/conversation.h"
#include "tests/unit/conversation/interview_world_watch.h"

namespace voicebridge::worker {

enum class Defect {
  kNone,
  kCreateTwice,
  kCancelLate,
  kCancelTwice,
  kVoiceLate,
  kToolStartedTwice,
  kToolAnsweredTwice,
  kToolNotAnswered,
  kToolResultBeforeItsTime,
  kFollowUpEarly,
  kFollowUpLost,
  kAudioWhileAssessing,
  kCreateWhileAssessing,
  kAssessmentTwice,
  kAnnouncedEarly,
  kAnnouncementLost,
  kCompletedTwice,
  kCompletedLost,
  kFailedLost,
  kSummaryBeforeReport,
  kKeepaliveLost,
  kKeepaliveAfterReport,
  kDeltaLost,
  kOwnIdShown,
  kHiddenShown,
  kCreatedNotShown,
  kResponseDoneLost,
  kBusyLoop,
  kAudioTwice,
  kBenignErrorShown,
  kItemTwice,
  kEffectAfterEnd,
};

struct DefectSpec {
  Defect defect;
  std::string_view name;
  std::string_view invariant;  // Whose watch has to find it.
};

inline constexpr std::array kDefects = std::to_array<DefectSpec>({
    {Defect::kCreateTwice, "CreateTwice", "one response"},
    {Defect::kCancelLate, "CancelLate", "cancel"},
    {Defect::kCancelTwice, "CancelTwice", "cancel"},
    {Defect::kVoiceLate, "VoiceLate", "voice"},
    {Defect::kToolStartedTwice, "ToolStartedTwice", "call"},
    {Defect::kToolAnsweredTwice, "ToolAnsweredTwice", "call"},
    {Defect::kToolNotAnswered, "ToolNotAnswered", "call"},
    {Defect::kToolResultBeforeItsTime, "ToolResultBeforeItsTime", "call"},
    {Defect::kFollowUpEarly, "FollowUpEarly", "follow-up"},
    {Defect::kFollowUpLost, "FollowUpLost", "follow-up"},
    {Defect::kAudioWhileAssessing, "AudioWhileAssessing", "input gate"},
    {Defect::kCreateWhileAssessing, "CreateWhileAssessing", "input gate"},
    {Defect::kAssessmentTwice, "AssessmentTwice", "assessment"},
    {Defect::kAnnouncedEarly, "AnnouncedEarly", "announced"},
    {Defect::kAnnouncementLost, "AnnouncementLost", "assessment"},
    {Defect::kCompletedTwice, "CompletedTwice", "assessment"},
    {Defect::kCompletedLost, "CompletedLost", "assessment"},
    {Defect::kFailedLost, "FailedLost", "assessment"},
    {Defect::kSummaryBeforeReport, "SummaryBeforeReport", "report first"},
    {Defect::kKeepaliveLost, "KeepaliveLost", "keepalive"},
    {Defect::kKeepaliveAfterReport, "KeepaliveAfterReport", "keepalive"},
    {Defect::kDeltaLost, "DeltaLost", "snapshot"},
    {Defect::kOwnIdShown, "OwnIdShown", "own id"},
    {Defect::kHiddenShown, "HiddenShown", "hidden"},
    {Defect::kCreatedNotShown, "CreatedNotShown", "untold"},
    {Defect::kResponseDoneLost, "ResponseDoneLost", "left open"},
    {Defect::kBusyLoop, "BusyLoop", "busy loop"},
    {Defect::kAudioTwice, "AudioTwice", "audio"},
    {Defect::kBenignErrorShown, "BenignErrorShown", "benign error"},
    {Defect::kItemTwice, "ItemTwice", "refused"},
    {Defect::kEffectAfterEnd, "EffectAfterEnd", "closed"},
});

// The conversation's events and effects pass through it; with Defect::kNone unchanged.
class WorldDefect {
 public:
  WorldDefect(Defect defect, const WorldFacts& facts) : defect_(defect), facts_(facts) {}

  // The conversation is not given this event.
  bool Swallows(const ConversationEvent& event) const;
  void Alter(const SeenEvent& seen, Effects& effects);
  std::optional<TimePoint> Deadline(std::optional<TimePoint> real) const;

 private:
  void AlterCreates(Effects& effects);
  void AlterTools(Effects& effects);
  void AlterGate(const SeenEvent& seen, Effects& effects);
  void AlterAssessment(const SeenEvent& seen, Effects& effects);
  void AlterClient(const SeenEvent& seen, Effects& effects);

  const Defect defect_;
  const WorldFacts& facts_;
};

}  // namespace voicebridge::worker
