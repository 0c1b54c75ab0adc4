// A response while it is generated: its events, paced in time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/core/time.h"
#include "tests/simulator/conversation_items.h"
#include "tests/simulator/event_sink.h"
#include "tests/simulator/id_source.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/reply_rules.h"
#include "tests/simulator/response_failure.h"
#include "tests/simulator/response_object.h"

namespace voicebridge::simulator {

// What a response shares with its session; all of it outlives the response.
struct ResponseContext {
  EventSink& sink;
  ConversationItems& items;
  IdSource& ids;
  SessionRecord& record;
};

// More outputs than a response ever has; speech is asked for by response number and output index.
inline constexpr std::uint64_t kOutputsMax = 1000;

// Owned by the model. Every response that began ends in exactly one response.done.
class ResponseRun {
 public:
  // `latency`: from the start to the first output. `seed` decides the sizes of audio deltas.
  ResponseRun(ResponseSettings settings, std::vector<PlannedOutput> plan, ResponseContext context,
              Duration latency, std::uint64_t seed);

  // response.created; asks for the speech of all outputs.
  void Begin(TimePoint now);
  // The speech of the output with this index; empty: it cannot be had, the response fails.
  void TakeSpeech(std::size_t index, std::string pcm, TimePoint now);
  // The next delta, if it is due.
  void Step(TimePoint now);
  // Ends it at once; an output in progress comes out incomplete.
  void Cancel(std::string_view reason);

  // It will end so, instead of being completed.
  void FailLater(ResponseFailure failure) { failure_ = std::move(failure); }
  // So many more deltas of the output in progress, as far as it has any.
  void SendDeltas(std::uint64_t count);
  // Everything that is left, at once; only when all of it can be had.
  bool CanComplete() const;
  void CompleteNow();

  const ResponseSettings& settings() const { return settings_; }
  bool finished() const { return finished_; }
  bool has_sent_audio() const { return has_sent_audio_; }
  std::optional<TimePoint> NextDeadline() const { return finished_ ? std::nullopt : due_; }

 private:
  using Kind = PlannedOutput::Kind;

  struct Output {
    PlannedOutput plan;
    std::string item_id = {};
    std::string call_id = {};
    std::optional<std::string> pcm = {};
    std::size_t pcm_sent = 0;
    std::size_t text_sent = 0;  // Bytes of plan.text.
    bool open = false;
    json::object item = {};  // As it came out.
  };

  PartAddress AddressOf(const Output& output) const;
  json::object PartFields(const Output& output) const;
  json::object CallFields(const Output& output) const;
  json::object ItemOf(const Output& output, std::string_view status, bool with_content) const;

  void Open(Output& output);
  void OpenItem(Output& output);
  Duration SendMore(Output& output);
  Duration SendMoreSpeech(Output& output);
  void SendText(Output& output, std::string_view type, std::size_t up_to);
  bool IsComplete(const Output& output) const;
  void Complete(Output& output, std::string_view status);
  void CompletePart(const Output& output);
  void CompleteItem(Output& output, std::string_view status);
  void SendItemDone(const Output& output);
  bool FailsNow(const Output& output);
  void Fail(const ResponseFailure& failure);
  void Finish(std::string_view status, json::value details);
  json::object Usage() const;
  std::size_t NextChunkBytes(const Output& output);

  ResponseSettings settings_;
  ResponseContext context_;
  Duration latency_;
  std::mt19937_64 random_;
  std::vector<Output> outputs_;
  std::size_t current_ = 0;
  std::optional<ResponseFailure> failure_;
  int steps_ = 0;
  std::optional<TimePoint> due_;
  bool finished_ = false;
  bool has_sent_audio_ = false;
};

}  // namespace voicebridge::simulator
