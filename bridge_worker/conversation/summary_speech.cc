#include "bridge_worker/conversation/summary_speech.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <utility>

namespace voicebridge::worker {
namespace {

constexpr std::array<std::string_view, 4> kIdKeys = {"id", "item_id", "previous_item_id",
                                                     "response_id"};

}  // namespace

void SummarySpeech::Begin(std::string text, TimePoint now) {
  stage_ = Stage::kWaiting;
  text_ = std::move(text);
  deadline_ = now + kQuietMax;
}

void SummarySpeech::OpenSecond(TimePoint now) {
  stage_ = Stage::kConfiguring;
  deadline_ = now + kConfigureMax;
  end_ = now + kTotalMax;
}

void SummarySpeech::Speak() {
  stage_ = Stage::kSpeaking;
  deadline_ = end_;
}

void SummarySpeech::FallBackToMain() {
  stage_ = Stage::kOnMain;
  deadline_.reset();
}

void SummarySpeech::End() {
  stage_ = Stage::kOver;
  deadline_.reset();
  open_response_.clear();
}

std::string_view SummarySpeech::WithoutPrefix(std::string_view id) {
  if (IsSecondId(id)) {
    id.remove_prefix(kPrefix.size());
  }
  return id;
}

void SummarySpeech::PrefixIds(json::object& event) {
  for (auto& member : event) {
    json::value& value = member.value();
    const std::string_view key(member.key().data(), member.key().size());
    if (json::object* object = value.if_object()) {
      PrefixIds(*object);
    } else if (json::array* array = value.if_array()) {
      for (json::value& element : *array) {
        if (json::object* inner = element.if_object()) {
          PrefixIds(*inner);
        }
      }
    } else if (value.is_string() &&
               std::find(kIdKeys.begin(), kIdKeys.end(), key) != kIdKeys.end()) {
      value = json::string(std::string(kPrefix) + std::string(View(value.get_string())));
    }
  }
}

}  // namespace voicebridge::worker
