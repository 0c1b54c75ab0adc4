// Who said what, in the order of the conversation's items.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace voicebridge::ctl {

// The user's transcript may come long after the answer's: a line is ready once it and all before it
// are complete. Pure; owned by a TalkMachine.
class Captions {
 public:
  enum class Speaker { kUser, kAssistant };

  // A new item; one that is there already stays where it is.
  void Add(std::string_view item_id, Speaker speaker);

  // Of an item that is not there these do nothing.
  void Append(std::string_view item_id, std::string_view text);
  void Complete(std::string_view item_id);
  // The whole text, in place of what was appended.
  void CompleteWith(std::string_view item_id, std::string_view text);
  // In place of a text that did not come; it is shown, but no part of TextOf.
  void CompleteWithout(std::string_view item_id, std::string_view why);
  // All items of that speaker.
  void CompleteAll(Speaker speaker);

  bool IsComplete(std::string_view item_id) const;

  // Lines that became ready since the last call: "you: …" or "assistant: …".
  std::vector<std::string> TakeReady();

  std::string TextOf(Speaker speaker) const;
  std::vector<std::string> ItemsOf(Speaker speaker) const;

 private:
  struct Line {
    std::string item_id;
    Speaker speaker = Speaker::kUser;
    std::string text;
    std::string why_not;
    bool complete = false;
  };

  Line* Find(std::string_view item_id);

  std::vector<Line> lines_;
  std::size_t shown_ = 0;
};

}  // namespace voicebridge::ctl
