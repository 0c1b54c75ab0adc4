#include "tests/simulator/journal.h"

#include <algorithm>
#include <utility>

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kSessionsMax = 2000;
constexpr std::size_t kEntriesMax = 500;
constexpr std::size_t kUpdatesMax = 20;
constexpr std::size_t kPromptsMax = 10'000;

template <class T>
T& AddBounded(std::deque<T>& list, T entry, std::size_t limit = kEntriesMax) {
  if (list.size() >= limit) {
    list.pop_front();
  }
  return list.emplace_back(std::move(entry));
}

template <class T, class ToObject>
json::array ArrayOf(const std::deque<T>& list, ToObject to_object) {
  json::array array;
  array.reserve(list.size());
  for (const T& entry : list) {
    array.push_back(to_object(entry));
  }
  return array;
}

template <class Counts>
json::object CountsToJson(const Counts& counts) {
  json::object object;
  for (const auto& [type, count] : counts) {
    object[type] = count;
  }
  return object;
}

json::object RefusalToJson(const RefusalRecord& refusal) {
  return {{"type", refusal.type}, {"code", refusal.code}, {"message", refusal.message}};
}

json::object UserItemToJson(const UserItemRecord& item) {
  return {{"item_id", item.item_id},
          {"bytes", item.bytes},
          {"sha256", item.sha256},
          {"transcript", item.transcript},
          {"by", item.by}};
}

json::object ClientItemToJson(const ClientItemRecord& item) {
  return {{"item_id", item.item_id}, {"type", item.type},       {"role", item.role},
          {"name", item.name},       {"call_id", item.call_id}, {"text", item.text}};
}

std::string HexOf(const std::optional<Digest>& digest) {
  return digest ? digest->Hex() : Digest::HexOf("");
}

json::object OutputItemToJson(const OutputItemRecord& item) {
  json::object object = {{"item_id", item.item_id},
                         {"type", item.type},
                         {"text", item.text},
                         {"name", item.name},
                         {"call_id", item.call_id},
                         {"audio_bytes", item.audio_bytes},
                         {"audio_sha256", HexOf(item.audio)},
                         {"generated_bytes", item.generated_bytes},
                         {"truncated_at_ms", nullptr},
                         {"deleted", item.deleted}};
  if (item.truncated_at_ms) {
    object["truncated_at_ms"] = *item.truncated_at_ms;
  }
  return object;
}

json::object ResponseToJson(const ResponseRecord& response) {
  return {{"id", response.id},
          {"status", response.status},
          {"reason", response.reason.empty() ? json::value(nullptr) : json::value(response.reason)},
          {"request", response.request},
          {"items", ArrayOf(response.items, OutputItemToJson)}};
}

json::object CallToJson(const std::shared_ptr<CallRecord>& call) {
  return {{"at_ms", call->at_ms},
          {"key_sha256", call->key_sha256},
          {"model", call->model},
          {"stream", call->stream},
          {"format", call->format},
          {"input_bytes", call->input_bytes},
          {"prompt", call->prompt},
          {"input", call->input},
          {"status", call->status},
          {"refusal", call->refusal.empty() ? json::value(nullptr) : json::value(call->refusal)},
          {"text", call->text},
          {"faults", call->faults}};
}

}  // namespace

void SessionRecord::Count(Counts& counts, std::string_view type) {
  const auto entry = counts.find(type);
  if (entry != counts.end()) {
    ++entry->second;
  } else {
    counts.emplace(type, 1);
  }
}

void SessionRecord::AddRefusal(std::string_view type, const Refusal& refusal) {
  ++refused_;
  AddBounded(refusals_, RefusalRecord{std::string(type), refusal.code, refusal.message});
}

void SessionRecord::AddAppendedAudio(std::string_view pcm) {
  if (!appended_) {
    appended_.emplace();
  }
  appended_->Append(pcm);
  appended_bytes_ += pcm.size();
}

void SessionRecord::AddUserItem(UserItemRecord item) { AddBounded(user_items_, std::move(item)); }

void SessionRecord::AddClientItem(const json::object& item, std::string_view text) {
  ClientItemRecord record;
  record.item_id = StringOr(item, "id");
  record.type = StringOr(item, "type");
  record.role = StringOr(item, "role");
  record.name = StringOr(item, "name");
  record.call_id = StringOr(item, "call_id");
  record.text = StringOr(item, "arguments", StringOr(item, "output", text));
  AddBounded(client_items_, std::move(record));
}

void SessionRecord::AddSessionUpdate(json::object effective) {
  AddBounded(updates_, std::move(effective), kUpdatesMax);
}

ResponseRecord* SessionRecord::AddResponse(std::string response_id) {
  ResponseRecord response;
  response.id = std::move(response_id);
  return &AddBounded(responses_, std::move(response));
}

ResponseRecord* SessionRecord::FindResponse(std::string_view response_id) {
  const auto found =
      std::find_if(responses_.rbegin(), responses_.rend(),
                   [&](const ResponseRecord& response) { return response.id == response_id; });
  return found == responses_.rend() ? nullptr : &*found;
}

OutputItemRecord* SessionRecord::FindOutput(std::string_view item_id) {
  for (auto response = responses_.rbegin(); response != responses_.rend(); ++response) {
    for (OutputItemRecord& item : response->items) {
      if (item.item_id == item_id) {
        return &item;
      }
    }
  }
  return nullptr;
}

void SessionRecord::Forget() {
  received_.clear();
  sent_.clear();
  refused_ = 0;
  refusals_.clear();
  appended_bytes_ = 0;
  appended_.reset();
  user_items_.clear();
  client_items_.clear();
  responses_.clear();
  updates_.clear();
}

json::object SessionRecord::ToJson() const {
  json::object headers = {{"user-agent", user_agent}, {"authorized", !key_sha256.empty()}};
  if (!key_sha256.empty()) {
    headers["key_sha256"] = key_sha256;
  }
  return {
      {"id", id},
      {"connected_at_ms", connected_at_ms},
      {"state", open ? "open" : "closed"},
      {"close_code", open ? json::value(nullptr) : json::value(close_code)},
      {"model", model},
      {"headers", std::move(headers)},
      {"faults", faults},
      {"events_received", CountsToJson(received_)},
      {"events_sent", CountsToJson(sent_)},
      {"refused", refused_},
      {"refusals", ArrayOf(refusals_, RefusalToJson)},
      {"audio_appended", {{"bytes", appended_bytes_}, {"sha256", HexOf(appended_)}}},
      {"user_items", ArrayOf(user_items_, UserItemToJson)},
      {"client_items", ArrayOf(client_items_, ClientItemToJson)},
      {"responses", ArrayOf(responses_, ResponseToJson)},
      {"session_updates", ArrayOf(updates_, [](const json::object& update) { return update; })}};
}

std::shared_ptr<SessionRecord> Journal::Open() {
  if (sessions_.size() >= kSessionsMax) {
    refused_before_ += sessions_.front()->refused();
    sessions_.pop_front();
  }
  return sessions_.emplace_back(std::make_shared<SessionRecord>());
}

std::shared_ptr<CallRecord> Journal::OpenCall() {
  ++calls_count_;
  if (calls_.size() >= kEntriesMax) {
    refused_before_ += calls_.front()->refusal.empty() ? 0 : 1;
  }
  return AddBounded(calls_, std::make_shared<CallRecord>());
}

void Journal::CountPrompt(const std::string& prompt) {
  if (prompts_.size() < kPromptsMax || prompts_.contains(prompt)) {
    ++prompts_[prompt];
  }
}

json::object Journal::ToJson(std::optional<std::string_view> session) const {
  json::array sessions;
  std::uint64_t refused = refused_before_;
  for (const auto& record : sessions_) {
    refused += record->refused();
    if (!session || record->id == *session) {
      sessions.push_back(record->ToJson());
    }
  }
  for (const auto& call : calls_) {
    refused += call->refusal.empty() ? 0 : 1;
  }
  return {{"refused", refused},
          {"sessions", std::move(sessions)},
          {"responses_count", calls_count_},
          {"responses_per_prompt", CountsToJson(prompts_)},
          {"responses_calls", ArrayOf(calls_, CallToJson)}};
}

void Journal::Forget() {
  std::erase_if(sessions_, [](const auto& record) { return !record->open; });
  for (const auto& record : sessions_) {
    record->Forget();
  }
  calls_.clear();
  calls_count_ = 0;
  prompts_.clear();
  refused_before_ = 0;
}

}  // namespace voicebridge::simulator
