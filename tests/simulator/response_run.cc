#include "tests/simulator/response_run.h"

#include <algorithm>
#include <utility>

#include "common/core/audio.h"
#include "common/core/base64.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kFirstChunkBytes = SamplesOfMilliseconds(100) * kBytesPerSample;
constexpr std::uint64_t kChunkSamplesMin = SamplesOfMilliseconds(200);
constexpr std::uint64_t kChunkSamplesMax = SamplesOfMilliseconds(500);
// Transcripts run ahead of the audio.
constexpr std::size_t kTranscriptLead = 2;
constexpr std::size_t kTextDeltaBytes = 16;
constexpr Duration kTextInterval = milliseconds(10);
constexpr std::uint64_t kAudioTokensPerSecond = 20;
constexpr std::uint64_t kBytesPerTextToken = 4;
constexpr int kStepsBeforeFailure = 3;

// The end of a delta that begins at `from` and is at least `length` long: after a blank, or a
// character.
std::size_t DeltaEnd(std::string_view text, std::size_t from, std::size_t length) {
  if (from + length >= text.size()) {
    return text.size();
  }
  const std::size_t blank = text.find(' ', from + length);
  return blank == std::string_view::npos ? text.size() : blank + 1;
}

}  // namespace

ResponseRun::ResponseRun(ResponseSettings settings, std::vector<PlannedOutput> plan,
                         ResponseContext context, Duration latency, std::uint64_t seed)
    : settings_(std::move(settings)), context_(context), latency_(latency), random_(seed) {
  for (PlannedOutput& planned : plan) {
    outputs_.push_back(Output{std::move(planned)});
  }
}

void ResponseRun::Begin(TimePoint now) {
  context_.record.AddResponse(settings_.id);
  json::object fields;
  fields["response"] = ResponseObject(settings_, "in_progress", nullptr, {}, nullptr);
  context_.sink.Send("response.created", std::move(fields));
  for (std::size_t index = 0; index < outputs_.size(); ++index) {
    const PlannedOutput& plan = outputs_[index].plan;
    if (plan.kind == Kind::kSpeech) {
      context_.sink.Synthesize(
          {settings_.number * kOutputsMax + index, plan.text, settings_.voice_name()});
    }
  }
  due_ = now + latency_;
}

void ResponseRun::TakeSpeech(std::size_t index, std::string pcm, TimePoint now) {
  if (finished_ || index >= outputs_.size()) {
    return;
  }
  outputs_[index].pcm = std::move(pcm);
  if (index == current_ && !due_) {
    due_ = now;
  }
}

void ResponseRun::Step(TimePoint now) {
  if (finished_ || !due_ || now < *due_) {
    return;
  }
  Output& output = outputs_[current_];
  if (output.plan.kind == Kind::kSpeech && !output.pcm) {
    due_.reset();  // TakeSpeech sets it.
    return;
  }
  if (output.plan.kind == Kind::kSpeech && output.pcm->empty()) {
    Fail(FailureNamed("server_error", ""));
    return;
  }
  if (failure_ && !failure_->after_output) {
    Fail(*failure_);
    return;
  }
  if (!output.open) {
    Open(output);
  }
  due_ = now + SendMore(output);
  if (FailsNow(output)) {
    Fail(*failure_);
    return;
  }
  if (!IsComplete(output)) {
    return;
  }
  Complete(output, "completed");
  ++current_;
  if (current_ == outputs_.size()) {
    Finish("completed", nullptr);
  }
}

void ResponseRun::Cancel(std::string_view reason) {
  if (finished_) {
    return;
  }
  if (outputs_[current_].open) {
    Complete(outputs_[current_], "incomplete");
  }
  if (ResponseRecord* record = context_.record.FindResponse(settings_.id)) {
    record->reason = reason;
  }
  Finish("cancelled", json::object{{"type", "cancelled"}, {"reason", reason}});
}

void ResponseRun::SendDeltas(std::uint64_t count) {
  Output& output = outputs_[current_];
  for (std::uint64_t sent = 0; sent < count && output.open && !IsComplete(output); ++sent) {
    SendMore(output);
  }
}

bool ResponseRun::CanComplete() const {
  return !finished_ && std::all_of(outputs_.begin(), outputs_.end(), [](const Output& output) {
    return output.plan.kind != Kind::kSpeech || (output.pcm && !output.pcm->empty());
  });
}

void ResponseRun::CompleteNow() {
  for (; current_ < outputs_.size(); ++current_) {
    Output& output = outputs_[current_];
    if (!output.open) {
      Open(output);
    }
    while (!IsComplete(output)) {
      SendMore(output);
    }
    Complete(output, "completed");
  }
  Finish("completed", nullptr);
}

Duration ResponseRun::SendMore(Output& output) {
  const std::size_t end = DeltaEnd(output.plan.text, output.text_sent, kTextDeltaBytes);
  switch (output.plan.kind) {
    case Kind::kSpeech:
      return SendMoreSpeech(output);
    case Kind::kText:
      SendText(output, "response.output_text.delta", end);
      break;
    case Kind::kCall:
      SendText(output, "response.function_call_arguments.delta", end);
      break;
  }
  return kTextInterval;
}

Duration ResponseRun::SendMoreSpeech(Output& output) {
  const std::size_t bytes = NextChunkBytes(output);
  const std::string_view chunk = std::string_view(*output.pcm).substr(output.pcm_sent, bytes);
  output.pcm_sent += bytes;
  const std::size_t said = output.plan.text.size() * output.pcm_sent / output.pcm->size();
  SendText(output, "response.output_audio_transcript.delta",
           DeltaEnd(output.plan.text, 0, said * kTranscriptLead));
  std::string encoded;
  AppendBase64(chunk, encoded);
  context_.sink.SendAudioDelta(AddressOf(output), encoded);
  has_sent_audio_ = true;
  if (Item* item = context_.items.Find(output.item_id); item != nullptr && !item->truncated) {
    item->audio[0].append(chunk);
  }
  if (OutputItemRecord* record = context_.record.FindOutput(output.item_id)) {
    if (!record->audio) {
      record->audio.emplace();
    }
    record->audio->Append(chunk);
    record->audio_bytes += bytes;
  }
  return Duration(milliseconds(MillisecondsOfSamples(SamplesOfBytes(bytes)))) /
         static_cast<Duration::rep>(settings_.audio_speed);
}

std::size_t ResponseRun::NextChunkBytes(const Output& output) {
  const std::size_t left = output.pcm->size() - output.pcm_sent;
  const std::size_t wanted =
      output.pcm_sent == 0
          ? kFirstChunkBytes
          : (kChunkSamplesMin + random_() % (kChunkSamplesMax - kChunkSamplesMin + 1)) *
                kBytesPerSample;
  return std::min(left, wanted);
}

void ResponseRun::SendText(Output& output, std::string_view type, std::size_t up_to) {
  if (up_to <= output.text_sent) {
    return;
  }
  const bool call = output.plan.kind == Kind::kCall;
  json::object fields = call ? CallFields(output) : PartFields(output);
  fields["delta"] = output.plan.text.substr(output.text_sent, up_to - output.text_sent);
  output.text_sent = up_to;
  context_.sink.Send(type, std::move(fields));
}

bool ResponseRun::IsComplete(const Output& output) const {
  return output.text_sent == output.plan.text.size() &&
         (output.plan.kind != Kind::kSpeech || output.pcm_sent == output.pcm->size());
}

// After a few deltas, or with the last one of a short output.
bool ResponseRun::FailsNow(const Output& output) {
  ++steps_;
  return failure_ && (steps_ >= kStepsBeforeFailure || IsComplete(output));
}

void ResponseRun::Fail(const ResponseFailure& failure) {
  if (outputs_[current_].open) {
    Complete(outputs_[current_], "incomplete");
  }
  Finish(failure.status, failure.details);
}

void ResponseRun::Finish(std::string_view status, json::value details) {
  json::array output;
  for (const Output& entry : outputs_) {
    if (entry.open) {
      output.push_back(entry.item);
    }
  }
  if (ResponseRecord* record = context_.record.FindResponse(settings_.id)) {
    record->status = status;
  }
  json::object fields;
  fields["response"] =
      ResponseObject(settings_, status, std::move(details), std::move(output), Usage());
  if (settings_.padding_bytes > 0) {
    fields["obfuscation"] = std::string(settings_.padding_bytes, 'x');
  }
  context_.sink.Send("response.done", std::move(fields));
  finished_ = true;
}

json::object ResponseRun::Usage() const {
  std::uint64_t text_tokens = 0;
  std::uint64_t audio_tokens = 0;
  for (const Output& output : outputs_) {
    text_tokens += (output.text_sent + kBytesPerTextToken - 1) / kBytesPerTextToken;
    audio_tokens += SamplesOfBytes(output.pcm_sent) * kAudioTokensPerSecond / kSamplesPerSecond;
  }
  const std::uint64_t output_tokens = text_tokens + audio_tokens;
  json::object input_details = {{"text_tokens", settings_.input_tokens},
                                {"audio_tokens", 0},
                                {"image_tokens", 0},
                                {"cached_tokens", 0}};
  json::object output_details = {{"text_tokens", text_tokens}, {"audio_tokens", audio_tokens}};
  return {{"total_tokens", settings_.input_tokens + output_tokens},
          {"input_tokens", settings_.input_tokens},
          {"output_tokens", output_tokens},
          {"input_token_details", std::move(input_details)},
          {"output_token_details", std::move(output_details)}};
}

}  // namespace voicebridge::simulator
