// What the model answers: which responses run, and with which settings.
#include <algorithm>
#include <utility>

#include "common/core/status.h"
#include "tests/simulator/realtime_model.h"

namespace voicebridge::simulator {
namespace {

constexpr std::uint64_t kLateDeltas = 3;

// A setting of the response itself, or else of the session.
const json::value& Effective(const json::object& overrides, const json::object& session,
                             std::string_view key) {
  const json::value* own = overrides.if_contains(key);
  return own != nullptr ? *own : session.at(key);
}

bool WantsAudio(const json::value& modalities) {
  const json::array& list = modalities.as_array();
  return std::find(list.begin(), list.end(), json::value("audio")) != list.end();
}

// Roughly what the live service would count; only its presence matters.
std::uint64_t TokensOf(const std::list<Item>& items) {
  std::uint64_t tokens = 0;
  for (const Item& item : items) {
    tokens += 4 + item.Text().size() / 4 + static_cast<std::uint64_t>(item.heard_seconds * 10);
  }
  return tokens;
}

}  // namespace

RealtimeModel::Refused RealtimeModel::OnResponseCreate(const json::object& event, TimePoint now) {
  const json::object* overrides = FindObject(event, "response");
  return StartResponse(overrides == nullptr ? json::object() : *overrides, now);
}

RealtimeModel::Refused RealtimeModel::StartResponse(const json::object& overrides, TimePoint now) {
  const bool in_conversation = StringOr(overrides, "conversation", "auto") == "auto";
  const std::string active = ActiveResponse();
  if (in_conversation && !active.empty()) {
    return Refusal{"conversation_already_has_active_response",
                   fmt::format("Conversation already has an active response in progress: {}. Wait "
                               "until the response is finished before creating a new one.",
                               active)};
  }
  if (Refused refusal = CheckVoice(overrides, "response.audio.output.voice")) {
    return refusal;
  }
  std::vector<Item> input;
  if (Refused refusal = CollectInput(overrides, input)) {
    return refusal;
  }
  const Item* newest =
      overrides.contains("input") ? (input.empty() ? nullptr : &input.back()) : items_.Newest();
  ResponseSettings settings = SettingsOf(overrides);
  settings.audio_speed = options_.audio_speed;
  settings.id = ids_.Next("resp");
  settings.number = ++run_count_;
  settings.conversation_id = in_conversation ? conversation_id_ : "";
  turn_ += in_conversation ? 1 : 0;
  std::vector<PlannedOutput> plan = PlanOf(overrides, newest, settings.audio);
  const std::string id = settings.id;
  ResponseContext context{sink_, items_, ids_, record_};
  runs_.push_back(std::make_unique<ResponseRun>(std::move(settings), std::move(plan), context,
                                                options_.response_latency,
                                                options_.pacing_seed + run_count_));
  if (const auto fault = options_.faults.Take(FaultId::kResponseFail)) {
    runs_.back()->FailLater(FailureNamed(fault->word, options_.model));
  }
  runs_.back()->Begin(now);
  json::object& recorded = record_.FindResponse(id)->request;
  recorded = overrides;
  recorded.erase("input");  // It may hold audio.
  return std::nullopt;
}

RealtimeModel::Refused RealtimeModel::CollectInput(const json::object& overrides,
                                                   std::vector<Item>& input) {
  const json::array* list = FindArray(overrides, "input");
  if (list == nullptr) {
    return std::nullopt;
  }
  for (const json::value& entry : *list) {
    Item item;
    item.fields = entry.as_object();
    if (item.type() == "item_reference") {
      const Item* referenced = items_.Find(item.id());
      if (referenced == nullptr) {
        return Refusal{"item_not_found",
                       fmt::format("Error creating response: the item with id '{}' does not exist.",
                                   item.id()),
                       "response.input"};
      }
      input.push_back(*referenced);
      continue;
    }
    Refused refusal;
    if (!TakePartAudio(item, refusal)) {
      return refusal;
    }
    input.push_back(std::move(item));
  }
  return std::nullopt;
}

ResponseSettings RealtimeModel::SettingsOf(const json::object& overrides) {
  const json::object& session = config_.value();
  ResponseSettings settings;
  settings.audio = WantsAudio(Effective(overrides, session, "output_modalities"));
  const json::value* voice = FindPath(overrides, "audio.output.voice");
  settings.voice = voice != nullptr ? *voice : config_.voice();
  settings.max_output_tokens = Effective(overrides, session, "max_output_tokens");
  if (const json::object* metadata = FindObject(overrides, "metadata")) {
    settings.metadata = *metadata;
  }
  settings.input_tokens = TokensOf(items_.all());
  if (const auto fault = options_.faults.Take(FaultId::kHugeFrame)) {
    settings.padding_bytes = fault->number.value_or(1) << 20U;
  }
  const InterviewScript interview = script_.InterviewOf(options_.session_id);
  settings.announcement = interview.announcement.value_or(CallAnnouncement::kBoth);
  settings.nameless_calls = interview.nameless.value_or(false);
  return settings;
}

std::vector<PlannedOutput> RealtimeModel::PlanOf(const json::object& overrides, const Item* newest,
                                                 bool audio) {
  const json::object& session = config_.value();
  const auto own_parallel = FindBool(overrides, "parallel_tool_calls");
  ReplyRequest request;
  request.session_id = options_.session_id;
  request.newest = newest;
  request.instructions = StringOr(overrides, "instructions");
  request.tools = &Effective(overrides, session, "tools").as_array();
  request.tool_choice = &Effective(overrides, session, "tool_choice");
  request.parallel_calls =
      own_parallel.value_or(FindBool(session, "parallel_tool_calls").value_or(true));
  request.audio = audio;
  request.turn = std::max<std::uint64_t>(turn_, 1);
  const bool in_conversation = StringOr(overrides, "conversation", "auto") == "auto";
  if (in_conversation && !overrides.contains("input")) {
    request.interviewer = &interviewer_;
    request.items = &items_.all();
  }
  AddReplyFaults(request);
  std::vector<PlannedOutput> plan = PlanReply(request, script_);
  if (plan.front().kind == PlannedOutput::Kind::kSpeech &&
      options_.faults.Take(FaultId::kTwoAudioItems)) {
    plan.push_back({PlannedOutput::Kind::kSpeech, "And this is the second part of the answer."});
  }
  return plan;
}

// Only where tools could be called: else there is nothing to get wrong.
void RealtimeModel::AddReplyFaults(ReplyRequest& request) {
  const bool is_answer =
      request.newest != nullptr && request.newest->type() == "function_call_output";
  if (request.tools->empty() || *request.tool_choice == "none" || is_answer) {
    return;
  }
  if (options_.faults.Take(FaultId::kParallelToolCalls)) {
    request.forced_calls = ForcedCalls::kAll;
  }
  if (options_.faults.Take(FaultId::kInvalidArguments)) {
    request.forced_calls = std::max(request.forced_calls, ForcedCalls::kOne);
    request.broken_arguments = true;
  }
}

RealtimeModel::Refused RealtimeModel::OnResponseCancel(const json::object& event, TimePoint) {
  const std::string_view named = StringOr(event, "response_id");
  const std::string id = named.empty() ? ActiveResponse() : std::string(named);
  ResponseRun* run = FindRun(id);
  const bool flooding = flood_ && flood_->id() == id;
  const bool crossed =
      run != nullptr && run->CanComplete() && options_.faults.Take(FaultId::kCancelCrossesDone);
  if (crossed) {
    run->CompleteNow();
  }
  if (crossed || (run == nullptr && !flooding)) {
    return Refusal{"response_cancel_not_active", "Cancellation failed: no active response found"};
  }
  if (run != nullptr) {
    const auto late = options_.faults.Take(FaultId::kLateDeltas);
    run->SendDeltas(late ? late->number.value_or(kLateDeltas) : 0);
    run->Cancel("client_cancelled");
  }
  return std::nullopt;
}

std::string RealtimeModel::ActiveResponse() const {
  if (flood_) {
    return flood_->id();
  }
  for (const auto& run : runs_) {
    if (run->settings().in_conversation() && !run->finished()) {
      return run->settings().id;
    }
  }
  return "";
}

ResponseRun* RealtimeModel::FindRun(std::string_view response_id) {
  for (const auto& run : runs_) {
    if (!run->finished() && run->settings().id == response_id) {
      return run.get();
    }
  }
  return nullptr;
}

}  // namespace voicebridge::simulator
