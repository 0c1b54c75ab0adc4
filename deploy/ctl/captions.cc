#include "deploy/ctl/captions.h"

#include <algorithm>
#include <utility>

namespace voicebridge::ctl {

void Captions::Add(std::string_view item_id, Speaker speaker) {
  if (Find(item_id) == nullptr) {
    Line line;
    line.item_id = item_id;
    line.speaker = speaker;
    lines_.push_back(std::move(line));
  }
}

void Captions::Append(std::string_view item_id, std::string_view text) {
  if (Line* line = Find(item_id); line != nullptr && !line->complete) {
    line->text += text;
  }
}

void Captions::Complete(std::string_view item_id) {
  if (Line* line = Find(item_id); line != nullptr) {
    line->complete = true;
  }
}

void Captions::CompleteWith(std::string_view item_id, std::string_view text) {
  if (Line* line = Find(item_id); line != nullptr && !line->complete) {
    line->text = text;
    line->complete = true;
  }
}

void Captions::CompleteWithout(std::string_view item_id, std::string_view why) {
  if (Line* line = Find(item_id); line != nullptr && !line->complete) {
    line->why_not = why;
    line->complete = true;
  }
}

void Captions::CompleteAll(Speaker speaker) {
  for (Line& line : lines_) {
    line.complete = line.complete || line.speaker == speaker;
  }
}

bool Captions::IsComplete(std::string_view item_id) const {
  return std::any_of(lines_.begin(), lines_.end(), [item_id](const Line& line) {
    return line.complete && line.item_id == item_id;
  });
}

std::vector<std::string> Captions::TakeReady() {
  std::vector<std::string> ready;
  for (; shown_ < lines_.size() && lines_[shown_].complete; ++shown_) {
    const Line& line = lines_[shown_];
    const std::string who = line.speaker == Speaker::kUser ? "you: " : "assistant: ";
    ready.push_back(who + (line.why_not.empty() ? line.text : "(" + line.why_not + ")"));
  }
  return ready;
}

std::string Captions::TextOf(Speaker speaker) const {
  std::string text;
  for (const Line& line : lines_) {
    if (line.speaker == speaker && !line.text.empty()) {
      text += text.empty() ? "" : " ";
      text += line.text;
    }
  }
  return text;
}

std::vector<std::string> Captions::ItemsOf(Speaker speaker) const {
  std::vector<std::string> ids;
  for (const Line& line : lines_) {
    if (line.speaker == speaker) {
      ids.push_back(line.item_id);
    }
  }
  return ids;
}

Captions::Line* Captions::Find(std::string_view item_id) {
  const auto line = std::find_if(lines_.begin(), lines_.end(), [item_id](const Line& candidate) {
    return candidate.item_id == item_id;
  });
  return line == lines_.end() ? nullptr : &*line;
}

}  // namespace voicebridge::ctl
