#include "tests/unit/conversation/interview_world_defects.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace voicebridge::worker {
namespace {

bool IsSent(const Effect& effect, std::string_view part) {
  const auto* sent = std::get_if<SendUpstream>(&effect);
  return sent != nullptr && sent->json.find(part) != std::string::npos;
}

bool IsShown(const Effect& effect, std::string_view type) {
  const auto* shown = std::get_if<SendClientEvent>(&effect);
  return shown != nullptr && shown->event.type() == type;
}

constexpr std::string_view kCreate = R"("type":"response.create")";
constexpr std::string_view kCancel = R"("type":"response.cancel")";
constexpr std::string_view kOutput = R"("id":"vbo_call)";

template <class Predicate>
void Duplicate(Effects& effects, Predicate predicate) {
  const auto found = std::find_if(effects.begin(), effects.end(), predicate);
  if (found != effects.end()) {
    Effect copy = *found;
    effects.insert(std::next(found), std::move(copy));
  }
}

template <class Predicate>
void Erase(Effects& effects, Predicate predicate) {
  const auto found = std::find_if(effects.begin(), effects.end(), predicate);
  if (found != effects.end()) {
    effects.erase(found);
  }
}

SendClientEvent Shown(std::string_view type, std::string_view json) {
  SendClientEvent shown;
  shown.event.set_type(std::string(type));
  shown.event.set_json(std::string(json));
  return shown;
}

bool IsTheClientsCreate(const ConversationEvent& event) {
  const auto* client = std::get_if<ClientEventReceived>(&event);
  return client != nullptr && client->type == "response.create" &&
         client->json.find("by_client") != std::string_view::npos;
}

}  // namespace

bool WorldDefect::Swallows(const ConversationEvent& event) const {
  const auto* updated = std::get_if<AssessmentUpdated>(&event);
  const auto* message = std::get_if<UpstreamMessage>(&event);
  if (defect_ == Defect::kCompletedLost) {
    return updated != nullptr && std::holds_alternative<AssessmentCompleted>(updated->update);
  }
  if (defect_ == Defect::kFailedLost) {
    return updated != nullptr && std::holds_alternative<AssessmentFailed>(updated->update);
  }
  if (defect_ == Defect::kResponseDoneLost) {
    return message != nullptr &&
           message->text.find(R"("type":"response.done")") != std::string_view::npos;
  }
  return defect_ == Defect::kToolNotAnswered && std::holds_alternative<ToolFinished>(event);
}

std::optional<TimePoint> WorldDefect::Deadline(std::optional<TimePoint> real) const {
  return defect_ == Defect::kBusyLoop && facts_.phase == WorldPhase::kAssessing ? facts_.now : real;
}

void WorldDefect::Alter(const SeenEvent& seen, Effects& effects) {
  if (facts_.phase == WorldPhase::kClosed && defect_ == Defect::kEffectAfterEnd) {
    effects.emplace_back(SendUpstreamAudio{"aa"});
  }
  if (defect_ == Defect::kNone || facts_.phase == WorldPhase::kClosed) {
    return;
  }
  AlterCreates(effects);
  AlterTools(effects);
  AlterGate(seen, effects);
  AlterAssessment(seen, effects);
  AlterClient(seen, effects);
}

void WorldDefect::AlterCreates(Effects& effects) {
  const auto creates = [](const Effect& effect) { return IsSent(effect, kCreate); };
  const auto cancels = [](const Effect& effect) { return IsSent(effect, kCancel); };
  if (defect_ == Defect::kCreateTwice) {
    Duplicate(effects, creates);
  } else if (defect_ == Defect::kCancelTwice) {
    Duplicate(effects, cancels);
  } else if (defect_ == Defect::kFollowUpLost) {
    Erase(effects, [](const Effect& effect) {
      return IsSent(effect, kCreate) && !IsSent(effect, "by_client") &&
             !IsSent(effect, "word for word");
    });
  }
}

void WorldDefect::AlterTools(Effects& effects) {
  const auto starts = [](const Effect& effect) {
    return std::holds_alternative<StartTool>(effect);
  };
  const auto answers = [](const Effect& effect) { return IsSent(effect, kOutput); };
  if (defect_ == Defect::kToolStartedTwice) {
    Duplicate(effects, starts);
  } else if (defect_ == Defect::kToolAnsweredTwice) {
    Duplicate(effects, answers);
  } else if (defect_ == Defect::kToolResultBeforeItsTime || defect_ == Defect::kFollowUpEarly) {
    const auto start = std::find_if(effects.begin(), effects.end(), starts);
    if (start == effects.end()) {
      return;
    }
    const std::string call_id = std::get<StartTool>(*start).call_id;
    effects.emplace_back(SendUpstream{
        defect_ == Defect::kFollowUpEarly
            ? R"({"type":"response.create","event_id":"vb_early"})"
            : fmt::format(R"({{"type":"conversation.item.create","item":{{"id":"vbo_{0}",)"
                          R"("type":"function_call_output","call_id":"{0}","output":"o"}}}})",
                          call_id)});
  }
}

void WorldDefect::AlterGate(const SeenEvent& seen, Effects& effects) {
  const auto* audio = std::get_if<ClientAudioReceived>(&seen.event);
  const auto* client = std::get_if<ClientEventReceived>(&seen.event);
  if (defect_ == Defect::kAudioWhileAssessing && audio != nullptr &&
      facts_.phase == WorldPhase::kAssessing) {
    effects.clear();
    effects.emplace_back(SendUpstreamAudio{"aa"});
  }
  const bool creates = defect_ == Defect::kCreateWhileAssessing && IsTheClientsCreate(seen.event) &&
                       facts_.phase == WorldPhase::kAssessing;
  const bool updates = defect_ == Defect::kVoiceLate && client != nullptr &&
                       client->type == "session.update" && facts_.phase == WorldPhase::kListening;
  if (creates || updates) {
    effects.emplace_back(SendUpstream{std::string(client->json)});
  }
}

void WorldDefect::AlterAssessment(const SeenEvent& seen, Effects& effects) {
  const auto completed = [](const Effect& effect) {
    return IsShown(effect, "voicebridge.assessment.completed");
  };
  const auto keepalive = [](const Effect& effect) {
    return IsShown(effect, "voicebridge.keepalive");
  };
  const auto starts = [](const Effect& effect) {
    return std::holds_alternative<StartAssessment>(effect);
  };
  if (defect_ == Defect::kAssessmentTwice) {
    Duplicate(effects, starts);
  } else if (defect_ == Defect::kAnnouncementLost) {
    Erase(effects,
          [](const Effect& effect) { return IsShown(effect, "voicebridge.assessment.started"); });
  } else if (defect_ == Defect::kAnnouncedEarly &&
             std::any_of(effects.begin(), effects.end(), starts)) {
    effects.emplace_back(
        Shown("voicebridge.assessment.started", R"({"type":"voicebridge.assessment.started"})"));
  } else if (defect_ == Defect::kCompletedTwice) {
    Duplicate(effects, completed);
  } else if (defect_ == Defect::kSummaryBeforeReport) {
    const auto report = std::find_if(effects.begin(), effects.end(), completed);
    if (report != effects.end()) {
      std::rotate(report, std::next(report), effects.end());
    }
  } else if (defect_ == Defect::kKeepaliveLost) {
    Erase(effects, keepalive);
  } else if (defect_ == Defect::kKeepaliveAfterReport && facts_.IsSummarising() &&
             std::holds_alternative<TimePassed>(seen.event)) {
    effects.emplace_back(Shown("voicebridge.keepalive", R"({"type":"voicebridge.keepalive"})"));
  } else if (defect_ == Defect::kDeltaLost) {
    Erase(effects, [](const Effect& effect) {
      return std::holds_alternative<PublishSnapshotDelta>(effect);
    });
  }
}

void WorldDefect::AlterClient(const SeenEvent& seen, Effects& effects) {
  if (defect_ == Defect::kOwnIdShown || defect_ == Defect::kBenignErrorShown) {
    const std::string_view error = defect_ == Defect::kOwnIdShown
                                       ? R"("event_id":"vb_7")"
                                       : R"("code":"response_cancel_not_active")";
    for (Effect& effect : effects) {
      if (IsShown(effect, "error")) {
        effect = Shown("error", fmt::format(R"({{"type":"error","error":{{{}}}}})", error));
      }
    }
  } else if (defect_ == Defect::kAudioTwice) {
    Duplicate(effects,
              [](const Effect& effect) { return std::holds_alternative<SendClientAudio>(effect); });
  } else if (defect_ == Defect::kItemTwice) {
    Duplicate(effects, [](const Effect& effect) {
      return IsSent(effect, R"("type":"conversation.item.create")") && IsSent(effect, "by_client");
    });
  } else if (defect_ == Defect::kHiddenShown && seen.message && !seen.second &&
             seen.message->type == UpstreamEventType::kOutputItemAdded && effects.size() < 2) {
    effects.emplace_back(Shown(seen.message->name, json::serialize(seen.message->body)));
  } else if (defect_ == Defect::kCreatedNotShown) {
    Erase(effects, [](const Effect& effect) { return IsShown(effect, "response.created"); });
  } else if (defect_ == Defect::kCancelLate && seen.message && !seen.second &&
             seen.message->type == UpstreamEventType::kResponseDone) {
    effects.emplace_back(SendUpstream{fmt::format(
        R"({{"type":"response.cancel","response_id":"{}"}})", seen.message->response_id)});
  }
}

}  // namespace voicebridge::worker
