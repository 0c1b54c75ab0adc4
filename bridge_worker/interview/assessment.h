// What is asked of the text model and what its answer must be. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker {

// One line of the transcript, in conversation order.
struct Utterance {
  enum class Speaker { kUser, kAssistant };

  Speaker speaker = Speaker::kUser;
  std::string text;  // Empty: said, but its transcription failed or did not come in time.
};

// What is stored when an assessment is triggered, and read back by whichever worker runs it.
// {"reason":…,"transcript":[{"speaker":"user"|"assistant","text":…}]}
std::string EncodeAssessmentInput(std::string_view reason,
                                  const std::vector<Utterance>& transcript);

// The body of POST /v1/responses (streamed, not stored by OpenAI), from the profile's assessment
// and a stored input. INVALID_ARGUMENT: the input is not what EncodeAssessmentInput made.
absl::StatusOr<std::string> AssessmentRequestBody(const v1::Assessment& assessment,
                                                  std::string_view input_json);

// Parses and checks the model's text against the profile's schema: types, enums, ranges, lengths,
// counts, required and additional properties. Returns it as compact JSON, members in the schema's
// order (alphabetical). INVALID_ARGUMENT names the place, as `domain_analyses[2].rating`, and what
// was expected, never the value's text.
absl::StatusOr<std::string> CheckReport(const v1::Assessment& assessment, std::string_view text);

// Whether a schema is one that CheckReport and OpenAI's strict mode understand; for profiles at
// start.
absl::Status CheckReportSchema(const v1::Assessment& assessment);

// The report as a few sentences to be spoken, built without a model. From the interview's fields
// (level, phase, strongest and weakest domain, module, errors, exercise) as far as they are there.
std::string SpokenSummary(std::string_view report_json);

}  // namespace voicebridge::worker
