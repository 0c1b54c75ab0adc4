#include "tests/unit/conversation/interview_world_watch.h"

#include <fmt/format.h>

#include <array>

namespace voicebridge::worker {

std::string_view NameOf(WorldPhase phase) {
  static constexpr std::array<std::string_view, kWorldPhases> kNames = {
      "connecting", "configuring", "listening", "assessing", "failed",
      "waiting",    "second",      "main",      "ended",     "closed"};
  return kNames.at(static_cast<std::size_t>(phase));
}

void WorldFacts::Problem(std::string_view invariant, std::string_view what) {
  if (problem.empty()) {
    problem = fmt::format("[{}] {} ({})", invariant, what, NameOf(phase));
  }
}

bool WorldFacts::IsSummarising() const {
  return phase == WorldPhase::kWaiting || phase == WorldPhase::kSecond ||
         phase == WorldPhase::kMain;
}

bool IsSummaryRequest(const json::object& body) {
  const json::value* instructions = FindPath(body, "response.instructions");
  return instructions != nullptr && instructions->is_string() &&
         View(instructions->get_string()).find("word for word") != std::string_view::npos;
}

namespace {

bool IsTheClients(const json::object& body) {
  return FindPath(body, "response.metadata.by_client") != nullptr;
}

constexpr Duration kStartMax = seconds(10);

}  // namespace

// --- responses
// ------------------------------------------------------------------------------------

void ResponseWatch::Before(const SeenEvent& seen) {
  for (Line* line : {&main_line_, &second_line_}) {
    if (line->in_flight && facts_.now >= line->in_flight->since + kStartMax) {
      line->in_flight.reset();
    }
  }
  if (seen.message && !seen.second) {
    Arrived(main_line_, main_, *seen.message);
  } else if (seen.message && !second_is_over_) {
    Arrived(second_line_, second_, *seen.message);
  }
  const auto* client = std::get_if<ClientEventReceived>(&seen.event);
  if (client != nullptr && client->type == "response.create" &&
      facts_.phase == WorldPhase::kListening) {
    const auto body = ParseObject(client->json);
    if (body.ok() && body->contains("event_id")) {
      answers_[std::string(StringOr(*body, "event_id"))] = 0;
    }
  } else if (client != nullptr && client->type == "response.cancel" && main_line_.in_flight) {
    excused_.insert(main_line_.in_flight->event_id);
  }
}

void ResponseWatch::Arrived(Line& line, const WorldUpstream& upstream, const UpstreamEvent& event) {
  if (event.type == UpstreamEventType::kResponseCreated) {
    const auto create = upstream.create_of_response.find(event.response_id);
    const std::string request = create == upstream.create_of_response.end() ? "" : create->second;
    const json::value* conversation = FindPath(event.body, "response.conversation_id");
    (conversation->is_null() ? line.out_of_band : line.open).insert(event.response_id);
    if (line.in_flight && line.in_flight->event_id == request) {
      line.in_flight.reset();
    }
    if (const auto answer = answers_.find(request); answer != answers_.end()) {
      ++answer->second;
    }
  } else if (event.type == UpstreamEventType::kResponseDone) {
    line.open.erase(event.response_id);
    line.out_of_band.erase(event.response_id);
  } else if (event.type == UpstreamEventType::kAudioDelta) {
    line.heard = true;
  } else if (event.type == UpstreamEventType::kError && line.in_flight &&
             ErrorOf(event.body).event_id == line.in_flight->event_id) {
    line.in_flight.reset();
  }
}

void ResponseWatch::See(const SeenEffect& seen) {
  if (std::holds_alternative<SendUpstream>(seen.effect)) {
    Sent(main_line_, seen);
  } else if (std::holds_alternative<SendSummary>(seen.effect)) {
    Sent(second_line_, seen);
  } else if (std::holds_alternative<CloseSummary>(seen.effect)) {
    second_line_ = Line();
    second_is_over_ = true;  // What still arrives of it means nothing.
  } else if (std::holds_alternative<SendClientEvent>(seen.effect) && seen.type == "error") {
    const auto answer = answers_.find(ErrorOf(seen.body).event_id);
    if (answer != answers_.end()) {
      ++answer->second;
    }
  }
  CheckGate(seen);
}

void ResponseWatch::Sent(Line& line, const SeenEffect& seen) {
  if (seen.type == "response.create") {
    const json::value* conversation = FindPath(seen.body, "response.conversation");
    if (&line == &main_line_) {
      CheckVoice(seen.body, "response.audio.output.voice");
    }
    if (conversation == nullptr || *conversation != "none") {
      CheckCreate(line, seen.body);
    }
  } else if (seen.type == "response.cancel") {
    const std::string id(StringOr(seen.body, "response_id"));
    if (line.open.count(id) + line.out_of_band.count(id) == 0) {
      facts_.Problem("cancel", "of what is not open: " + id);
    } else if (!line.cancelled.insert(id).second) {
      facts_.Problem("cancel", "twice: " + id);
    }
  } else if (seen.type == "session.update" && &line == &main_line_) {
    if (configured_) {
      CheckVoice(seen.body, "session.audio.output.voice");
    }
    configured_ = true;
  }
}

void ResponseWatch::CheckCreate(Line& line, const json::object& body) {
  if (!IsQuiet()) {
    facts_.Problem("one response", "a create beside another: " + json::serialize(body));
  }
  line.in_flight = Requested{std::string(StringOr(body, "event_id")), facts_.now};
}

bool ResponseWatch::IsQuiet() const {
  return !main_line_.in_flight && !second_line_.in_flight && main_line_.open.empty() &&
         second_line_.open.empty();
}

void ResponseWatch::CheckVoice(const json::object& body, std::string_view path) {
  const bool in_progress =
      main_line_.in_flight || !main_line_.open.empty() || !main_line_.out_of_band.empty();
  if (FindPath(body, path) != nullptr && (main_line_.heard || in_progress)) {
    facts_.Problem("voice", "too late: " + json::serialize(body));
  }
}

// What the client says carries ids or marks of the world's.
void ResponseWatch::CheckGate(const SeenEffect& seen) {
  if (facts_.phase == WorldPhase::kListening) {
    return;
  }
  const json::value* item = FindPath(seen.body, "item.id");
  const bool users = std::holds_alternative<SendUpstreamAudio>(seen.effect) ||
                     ((std::holds_alternative<SendUpstream>(seen.effect) ||
                       std::holds_alternative<SendSummary>(seen.effect)) &&
                      (seen.type.starts_with("input_audio_buffer.append") ||
                       seen.type == "input_audio_buffer.commit" || IsTheClients(seen.body) ||
                       (item != nullptr && View(item->as_string()).starts_with("by_client_"))));
  if (users) {
    facts_.Problem("input gate", "the user's: " + json::serialize(seen.body));
  }
}

void ResponseWatch::AtTheEnd() {
  if (!IsQuiet() || !main_line_.out_of_band.empty()) {
    facts_.Problem("left open", "a response");
  }
  for (const auto& [id, times] : answers_) {
    if (times == 0 && excused_.count(id) == 0) {
      facts_.Problem("left open", "never answered: " + id);
    }
  }
}

// --- calls
// ----------------------------------------------------------------------------------------

void CallWatch::Before(const SeenEvent& seen) {
  if (const auto* finished = std::get_if<ToolFinished>(&seen.event)) {
    ++calls_[std::string(finished->call_id)].finished;
  }
  if (!seen.message || seen.second) {
    return;
  }
  const auto tell = [this](const json::value* call_id) {
    if (call_id != nullptr) {
      calls_[std::string(View(call_id->as_string()))].told = true;
    }
  };
  tell(FindPath(seen.message->body, "call_id"));
  tell(FindPath(seen.message->body, "item.call_id"));
  if (seen.message->type == UpstreamEventType::kResponseDone) {
    done_.insert(seen.message->response_id);
    for (const json::value& item : FindPath(seen.message->body, "response.output")->as_array()) {
      tell(item.as_object().if_contains("call_id"));
    }
  }
}

void CallWatch::See(const SeenEffect& seen) {
  if (const auto* start = std::get_if<StartTool>(&seen.effect)) {
    const WorldUpstream::Call* call = main_.CallOf(start->call_id);
    Seen& known = calls_[start->call_id];
    if (call == nullptr || !known.told || !call->complete) {
      facts_.Problem("call", "started, though nobody made it: " + start->call_id);
    }
    if (++known.started > 1) {
      facts_.Problem("call", "started twice: " + start->call_id);
    }
  }
  if (!std::holds_alternative<SendUpstream>(seen.effect)) {
    return;
  }
  const json::value* type = FindPath(seen.body, "item.type");
  const json::value* item = FindPath(seen.body, "item.id");
  if (type != nullptr && *type == "function_call_output" &&
      View(item->as_string()).starts_with("vbo_")) {
    const std::string id(View(FindPath(seen.body, "item.call_id")->as_string()));
    const WorldUpstream::Call* call = main_.CallOf(id);
    Seen& known = calls_[id];
    if (++known.answered > 1) {
      facts_.Problem("call", "answered twice: " + id);
    }
    if (call != nullptr && call->name == "lookup" && known.finished == 0) {
      facts_.Problem("call", "answered before it finished: " + id);
    }
  }
  if (seen.type == "response.create" && !IsTheClients(seen.body) && !IsSummaryRequest(seen.body)) {
    CheckFollowUp(std::string(StringOr(seen.body, "event_id")));
  }
}

// A response whose calls were all the worker's, and all answered.
bool CallWatch::WantsFollowUp(const std::string& response_id) const {
  bool ours = false;
  for (const WorldUpstream::Call& call : main_.calls) {
    if (call.response_id != response_id) {
      continue;
    }
    if (call.name == "client_tool" || (call.complete && call.name == "trigger_assessment")) {
      return false;
    }
    const auto seen = calls_.find(call.call_id);
    if (call.complete && (seen == calls_.end() || seen->second.answered == 0)) {
      return false;
    }
    ours = ours || call.complete;
  }
  return ours && done_.count(response_id) > 0;
}

void CallWatch::CheckFollowUp(const std::string& event_id) {
  if (!follow_ups_.insert(event_id).second) {
    return;  // It collided, and goes again.
  }
  for (const std::string& response : done_) {
    if (followed_.count(response) == 0 && WantsFollowUp(response)) {
      followed_.insert(response);
      return;
    }
  }
  facts_.Problem("follow-up", "before all outputs, or to nothing: " + event_id);
}

void CallWatch::AtTheEnd() {
  for (const WorldUpstream::Call& call : main_.calls) {
    const Seen& seen = calls_[call.call_id];
    const bool ours = call.name != "client_tool" && call.complete;
    if (seen.answered != (ours ? 1 : 0)) {
      facts_.Problem("call", fmt::format("{} answered {} times", call.call_id, seen.answered));
    }
    if (seen.started != (ours && call.name == "lookup" ? 1 : 0)) {
      facts_.Problem("call", fmt::format("{} started {} times", call.call_id, seen.started));
    }
  }
  for (const std::string& response : done_) {
    if (facts_.phase == WorldPhase::kListening && followed_.count(response) == 0 &&
        WantsFollowUp(response)) {
      facts_.Problem("follow-up", "missing after " + response);
    }
  }
}

}  // namespace voicebridge::worker
