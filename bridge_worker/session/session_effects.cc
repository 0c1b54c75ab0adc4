// What the conversation wants done.
#include <utility>
#include <variant>

#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/session/session_driver.h"
#include "bridge_worker/tools/tool_runner.h"
#include "common/core/limits.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kRetryMax = seconds(5);
constexpr std::size_t kFrameOverhead = 128;  // What a queued frame costs beside its payload.

std::size_t SizeOf(const v1::ToGateway& frame) {
  switch (frame.frame_case()) {
    case v1::ToGateway::kAudio:
      return frame.audio().pcm().size() + kFrameOverhead;
    case v1::ToGateway::kEvent:
      return frame.event().json().size() + kFrameOverhead;
    default:
      return frame.ByteSizeLong() + kFrameOverhead;
  }
}

}  // namespace

void SessionDriver::Feed(ConversationEvent event) {
  events_.Feed(std::move(event), [this](ConversationEvent next) { Handle(std::move(next)); });
}

void SessionDriver::Handle(ConversationEvent event) {
  if (end_reason_) {
    return;
  }
  effects_.clear();
  conversation_->Handle(std::move(event), shard_.clock().Now(), effects_);
  for (Effect& effect : effects_) {
    std::visit([this](auto& wanted) { Perform(wanted); }, effect);
  }
  if (const std::optional<TimePoint> next = conversation_->NextDeadline(); next && !end_reason_) {
    timer_.Arm(Deadline::At(*next));
  } else {
    timer_.Disarm();
  }
}

// --- to the upstream
// ------------------------------------------------------------------------------

void SessionDriver::Perform(SendUpstreamAudio& audio) {
  const std::size_t bytes = audio.pcm.size() + kFrameOverhead;
  probe_up_.Queued(++audio_queued_);
  upstream_queue_.Push(std::move(audio), bytes);
}

void SessionDriver::Perform(SendUpstream& event) {
  const std::size_t bytes = event.json.size() + kFrameOverhead;
  upstream_queue_.Push(std::move(event), bytes);
}

// --- to the gateway
// -------------------------------------------------------------------------------

void SessionDriver::Perform(SendClientAudio& audio) {
  v1::ToGateway frame;
  *frame.mutable_audio() = std::move(audio.audio);
  meter_->CountAudio(Way::kDown, frame.audio().pcm().size());
  probe_down_.Queued(frame.audio().seq());
  SendGateway(std::move(frame));
  if (const auto delay = conversation_->TakeAnswerDelay()) {
    environment_.metrics.first_audio_seconds.Observe(ToSeconds(*delay));
  }
}

void SessionDriver::Perform(SendClientEvent& event) {
  v1::ToGateway frame;
  *frame.mutable_event() = std::move(event.event);
  SendGateway(std::move(frame));
}

void SessionDriver::Perform(DropQueuedAudio& drop) {
  const std::size_t dropped = gateway_queue_.RemoveIf([&](const v1::ToGateway& frame) {
    return frame.has_audio() && frame.audio().response_id() == drop.response_id;
  });
  environment_.metrics.audio_frames_dropped.Increment(static_cast<double>(dropped));
}

void SessionDriver::Perform(BecomeReady& ready) {
  ready_ = true;
  v1::ToGateway frame;
  frame.mutable_ready()->set_epoch(epoch());
  frame.mutable_ready()->set_session_json(std::move(ready.session_json));
  SendGateway(std::move(frame));
  changed_.Notify();
}

void SessionDriver::Perform(PublishSnapshotDelta& delta) {
  if (record_ != nullptr) {
    record_->Note(delta.delta);
  }
  v1::ToGateway frame;
  *frame.mutable_snapshot_delta() = std::move(delta.delta);
  SendGateway(std::move(frame));
}

void SessionDriver::Perform(AcceptAudio& accepted) {
  v1::ToGateway frame;
  frame.mutable_audio_accepted()->set_committed_through_sample(accepted.committed_through_sample);
  SendGateway(std::move(frame));
}

void SessionDriver::SendGateway(v1::ToGateway frame) {
  const std::size_t bytes = SizeOf(frame);
  gateway_queue_.Push(std::move(frame), bytes);
}

// --- to the operator
// ------------------------------------------------------------------------------

void SessionDriver::Perform(ReportTrouble& trouble) {
  environment_.metrics.troubles.Count(trouble.event);
  logger_.Warning(trouble.event,
                  {{"session", session_id()}, {"epoch", epoch()}, {"reason", trouble.reason}});
}

void SessionDriver::Perform(EndSession& end) { RequestEnd(end.reason, std::move(end.message)); }

// --- tools and assessment
// -------------------------------------------------------------------------

void SessionDriver::Perform(StartTool& start) {
  tasks_.TrySpawn("tool", CallTool(std::move(start)));
}

Awaitable<void> SessionDriver::CallTool(StartTool start) {
  ToolCallStart call{start.call_id, start.tool->name(), std::move(start.arguments_json)};
  const std::string output =
      co_await RunTool(environment_.tools, record_->owner(), *start.tool, std::move(call));
  Feed(ToolFinished{start.call_id, output});
}

void SessionDriver::Perform(StartAssessment& start) {
  AssessmentRecord assessment;
  assessment.assessment_id = std::move(start.assessment_id);
  assessment.session_id = session_id();
  assessment.profile = request_.frame().profile();
  assessment.request_json = std::move(start.input_json);
  environment_.assessments.Assess(
      record_->owner(), std::move(assessment), start.words_awaited, executor_,
      [this](const AssessmentUpdate& update) { Feed(AssessmentUpdated{update}); });
}

void SessionDriver::Perform(RetryAssessment&) { tasks_.TrySpawn("retry assessment", Retry()); }

Awaitable<void> SessionDriver::Retry() {
  const absl::StatusOr<AssessmentRecord> retried = co_await environment_.assessments.Retry(
      session_id(), traceparent_, Deadline::After(shard_.clock().Now(), kRetryMax));
  if (!retried.ok()) {
    Feed(AssessmentUpdated{AssessmentFailed{"store_unavailable"}});
  }
}

void SessionDriver::Perform(OpenSummary&) {
  summary_ = std::make_unique<SummaryLink>(
      environment_.connector, request_.profile().model(), shard_.clock(), executor_,
      [this](ConversationEvent event) { Feed(std::move(event)); });
  tasks_.TrySpawn("summary", summary_->Run(tasks_));
}

void SessionDriver::Perform(SendSummary& send) { summary_->Send(std::move(send.json)); }

void SessionDriver::Perform(CloseSummary&) { summary_->Close(); }

}  // namespace voicebridge::worker
