// A random interview around one Conversation: client, upstreams, tools, assessment service, time.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/conversation/interview_world_coverage.h"
#include "tests/unit/conversation/interview_world_defects.h"
#include "tests/unit/conversation/interview_world_upstream.h"
#include "tests/unit/conversation/interview_world_watch.h"

namespace voicebridge::worker {

// One run, the same for the same seed. Half of the seeds have a summary voice.
class InterviewWorld {
 public:
  InterviewWorld(unsigned seed, WorldCoverage& coverage, Defect defect = Defect::kNone);

  // Empty: all went well. Else the first broken invariant.
  const std::string& Run();

 private:
  // --- interview_world.cc
  int Roll(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }
  void Step();
  void StepUpstream();
  void StepSecond();
  void FinishTool(bool again);
  void StepAssessment();
  void StoreAssessment(const StartAssessment& start);
  void PlanAssessment();
  void StepTime();
  void AdvanceTo(TimePoint target);
  void DeliverNext();
  void DeliverSecond();
  void CloseSecond();
  void Handle(ConversationEvent event);
  void Perform(const Effect& effect);
  void Settle();
  bool SettleOne();
  void CheckTheEnd();

  // --- interview_world_client.cc
  void ActAsClient();
  void SendAudio();
  void Create();
  void Cancel();
  void UpdateSession();
  void CreateItem();
  void TouchItem();
  void SayNonsense();
  std::string TellableId();
  std::string NextId() { return "by_client_" + std::to_string(++last_id_); }
  void Client(std::string_view type, const std::string& json);

  std::mt19937 random_;
  const bool lazy_;  // The first upstream's events take their time.
  WorldFacts facts_;
  WorldCoverage& coverage_;
  WorldDefect defect_;
  WorldUpstream main_;
  WorldUpstream second_;
  Conversation conversation_;
  Effects effects_;
  ResponseWatch responses_;
  CallWatch calls_;
  ClientWatch client_;
  AssessmentWatch assessment_;

  std::vector<std::string> running_tools_;
  std::vector<std::string> finished_tools_;
  std::deque<AssessmentUpdate> updates_;
  bool assessment_is_stored_ = false;
  bool store_fails_ = false;     // That is under way in updates_.
  bool second_is_open_ = false;  // Its connection; closed by either side, once.
  bool second_is_mute_ = false;
  int last_id_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace voicebridge::worker
