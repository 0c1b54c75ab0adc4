// A session for load tests: every append comes back as a delta. No speech, no turns, no digests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/simulator/endless_response.h"
#include "tests/simulator/event_sink.h"
#include "tests/simulator/id_source.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/realtime_model.h"
#include "tests/simulator/session_config.h"
#include "tests/simulator/session_model.h"

namespace voicebridge::simulator {

// Appends in their usual spelling are not parsed: the audio is cut out of the text. Everything else
// that a client sends is checked and, apart from session.update, ignored. Owned by one session.
class EchoModel final : public SessionModel {
 public:
  EchoModel(ModelOptions options, SessionRecord& record);

  Effects Start(TimePoint now) override;
  Effects HandleText(std::string_view message, TimePoint now) override;
  Effects HandleBinary(TimePoint now) override;
  Effects HandleSpeech(std::uint64_t token, std::string pcm, TimePoint now) override;
  Effects HandleTime(TimePoint now) override;
  std::optional<TimePoint> NextDeadline() const override { return std::nullopt; }
  void AddFault(const Fault&) override {}
  Effects BeginFlood() override;
  Effects FloodMore() override;

 private:
  void Echo(std::string_view audio);
  void HandleOther(std::string_view message);
  void Begin();

  ModelOptions options_;
  SessionRecord& record_;
  IdSource ids_;
  EventSink sink_;
  SessionConfig config_;
  std::optional<EndlessResponse> response_;
};

}  // namespace voicebridge::simulator
