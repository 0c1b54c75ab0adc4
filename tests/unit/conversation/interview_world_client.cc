// The client of the random interviews: it does everything, at any time, and some of it wrongly.
#include <fmt/format.h>

#include <iterator>

#include "tests/unit/conversation/interview_world.h"

namespace voicebridge::worker {

void InterviewWorld::Client(std::string_view type, const std::string& json) {
  Handle(ClientEventReceived{type, json});
}

void InterviewWorld::ActAsClient() {
  switch (Roll(17)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return SendAudio();
    case 4:
    case 5:
      return Client(
          "input_audio_buffer.commit",
          fmt::format(R"({{"type":"input_audio_buffer.commit","event_id":"{}"}})", NextId()));
    case 6:
    case 7:
    case 8:
      return Create();
    case 9:
      return Cancel();
    case 10:
      return UpdateSession();
    case 11:
      return CreateItem();
    case 12:
    case 13:
      return TouchItem();
    case 14:
      return SayNonsense();
    case 15:
      return Client("input_audio_buffer.clear", R"({"type":"input_audio_buffer.clear"})");
    default:
      return Roll(2) == 0 ? Client("voicebridge.assessment.request",
                                   R"({"type":"voicebridge.assessment.request","event_id":"q"})")
                          : Client("voicebridge.assessment.retry",
                                   R"({"type":"voicebridge.assessment.retry","event_id":"t"})");
  }
}

void InterviewWorld::SendAudio() {
  const auto samples = static_cast<std::uint64_t>(Roll(6'000)) + 1;
  Handle(ClientAudioReceived{std::string(samples * 2, 'a'), position_});
  position_ += samples;
}

void InterviewWorld::Create() {
  static constexpr std::string_view kMore[] = {"", "", "", R"(,"audio":{"output":{"voice":"ash"}})",
                                               R"(,"conversation":"none")"};
  const std::string id = Roll(5) == 0 ? "" : fmt::format(R"("event_id":"{}",)", NextId());
  Client("response.create",
         fmt::format(R"({{{}"type":"response.create","response":{{"metadata":{{"by_client":"1"}})"
                     R"({}}}}})",
                     id, kMore[Roll(5)]));
}

void InterviewWorld::Cancel() {
  const std::string id = Roll(2) == 0 ? fmt::format(R"(,"response_id":"{}resp_{}")",
                                                    Roll(3) == 0 ? "vbs_" : "", 1 + Roll(5))
                                      : std::string();
  Client("response.cancel", fmt::format(R"({{"type":"response.cancel"{}}})", id));
}

void InterviewWorld::UpdateSession() {
  static constexpr std::string_view kSettings[] = {
      R"("audio":{"output":{"voice":"ash"}})",
      R"("audio":{"output":{"voice":"marin"}})",
      R"("temperature":1)",
      R"("instructions":"Be short.","audio":{"output":{"voice":"cedar"}})",
      R"("tools":[{"type":"function","name":"client_tool"}])",
      R"("audio":{"input":{"turn_detection":{"type":"server_vad"}}})",
      R"("audio":{"input":{"turn_detection":null}})"};
  Client("session.update", fmt::format(R"({{"type":"session.update","event_id":"{}",)"
                                       R"("session":{{"type":"realtime",{}}}}})",
                                       NextId(), kSettings[Roll(7)]));
}

void InterviewWorld::CreateItem() {
  std::string item = R"("type":"message","role":"user","content":[])";
  if (Roll(4) == 0) {
    item = fmt::format(R"("type":"function_call","status":"completed","call_id":"{}",)"
                       R"("name":"lookup","arguments":"{{}}")",
                       NextId());
  } else if (Roll(2) == 0) {
    std::string call_id = "nobody's";
    for (const WorldUpstream::Call& call : main_.calls) {
      call_id = call.name == "client_tool" ? call.call_id : call_id;
    }
    item = fmt::format(R"("type":"function_call_output","call_id":"{}","output":"o")", call_id);
  }
  Client("conversation.item.create",
         fmt::format(R"({{"type":"conversation.item.create","event_id":"{}",)"
                     R"("item":{{"id":"{}",{}}}}})",
                     NextId(), NextId(), item));
}

void InterviewWorld::TouchItem() {
  if (Roll(5) == 0) {
    return Client(
        "conversation.item.delete",
        fmt::format(R"({{"type":"conversation.item.delete","item_id":"{}"}})", TellableId()));
  }
  Client("conversation.item.truncate",
         fmt::format(R"({{"type":"conversation.item.truncate","item_id":"{}",)"
                     R"("content_index":0,"audio_end_ms":{}}})",
                     TellableId(), Roll(3) == 0 ? 0 : Roll(120)));
}

void InterviewWorld::SayNonsense() {
  switch (Roll(4)) {
    case 0:
      return Client("response.create", "no json");
    case 1:
      return Client("input_audio_buffer.append",
                    R"({"type":"input_audio_buffer.append","audio":"AAAA"})");
    case 2:
      return Client("an.event", R"({"type":"an.event","event_id":"n"})");
    default:
      return Client("conversation.item.truncate", R"({"type":"conversation.item.truncate"})");
  }
}

// Something that the client has heard of.
std::string InterviewWorld::TellableId() {
  const std::set<std::string>& told = client_.told();
  if (told.empty() || Roll(8) == 0) {
    return "item_99";
  }
  std::string id;
  for (int tries = 0; tries < 4 && id.find("item_") == std::string::npos; ++tries) {
    id = *std::next(told.begin(), Roll(static_cast<int>(told.size())));
  }
  return id;
}

}  // namespace voicebridge::worker
