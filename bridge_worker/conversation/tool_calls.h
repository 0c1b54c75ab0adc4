// The calls of the profile's tools: each executed once, answered once, and spoken about once.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/json.h"
#include "voicebridge/v1/profile.pb.h"

namespace voicebridge::worker {

// One call, complete.
struct AnnouncedCall {
  std::string call_id;
  const v1::Tool* tool = nullptr;
  std::string arguments_json;  // "{}" when the model's were no JSON object.
  bool arguments_replaced = false;
};

// Several events announce the same call, in an order that is not fixed; the first that carries it
// whole counts. Calls of tools that the profile does not name belong to the client.
//
// Bounds: the newest 256 calls and 64 responses are remembered, which is more than any response
// asks for.
class ToolCalls {
 public:
  static constexpr std::size_t kCallsMax = 256;
  static constexpr std::size_t kResponsesMax = 64;

  // `profile` outlives it.
  explicit ToolCalls(const v1::Profile& profile) : profile_(profile) {}

  bool empty() const { return profile_.tools().empty(); }
  const v1::Tool* Find(std::string_view name) const;
  const v1::Tool* FindBuiltin(v1::BuiltinTool builtin) const;

  // An item of type function_call or function_call_output, from whichever event. Returns the call
  // when it is one of ours, complete, and not known yet. `response_id` may be empty.
  std::optional<AnnouncedCall> Observe(const json::object& item, std::string_view response_id);
  // response.function_call_arguments.done: complete only if the arguments are JSON, because those
  // of an interrupted response are cut.
  std::optional<AnnouncedCall> ArgumentsDone(const json::object& event);

  // The client writes this call into the conversation itself: nobody carries it out.
  void MadeByClient(std::string_view call_id);

  // Items of our calls and of their outputs are not the client's business.
  bool IsHidden(std::string_view item_id) const;
  void Hide(std::string_view item_id);

  // Our output of this call is on its way to the upstream. False: it was answered before, or is
  // unknown.
  bool Answer(std::string_view call_id);
  // No response is wanted after this call: the conversation ends with it.
  void EndWith(std::string_view call_id);
  void ResponseDone(std::string_view response_id);

  // True once per response that is over, whose calls were all ours and are all answered: the model
  // may now speak about their outputs.
  bool TakeFollowUp();

 private:
  struct Call {
    std::string call_id;
    std::string item_id;
    std::string response_id;
    const v1::Tool* tool = nullptr;
    bool announced = false;
    bool answered = false;
  };
  struct Response {
    std::string id;
    std::size_t ours = 0;
    std::size_t unanswered = 0;
    bool has_client_calls = false;
    bool ends_conversation = false;
    bool done = false;
  };

  Call* FindCall(std::string_view call_id);
  Response& Of(std::string_view response_id);
  void Bind(Call& call, std::string_view response_id);
  void CountIn(const Call& call);
  std::optional<AnnouncedCall> Announce(Call& call, std::string_view arguments);

  const v1::Profile& profile_;
  std::deque<Call> calls_;
  std::deque<Response> responses_;
  std::deque<std::string> hidden_;
  std::deque<std::string> client_calls_;
  std::deque<std::string> client_items_;
};

}  // namespace voicebridge::worker
