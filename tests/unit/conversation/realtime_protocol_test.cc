#include "bridge_worker/upstream/realtime_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace voicebridge::worker {
namespace {

TEST(ParseUpstreamEvent, FindsTheIdsWhereEachKindOfEventCarriesThem) {
  struct Case {
    const char* text;
    UpstreamEventType type;
    const char* response_id;
    const char* item_id;
  };
  const Case cases[] = {
      {R"({"type":"response.created","response":{"id":"r"}})", UpstreamEventType::kResponseCreated,
       "r", ""},
      {R"({"type":"response.done","response":{"id":"r"}})", UpstreamEventType::kResponseDone, "r",
       ""},
      {R"({"type":"response.output_item.done","response_id":"r","item":{"id":"i"}})",
       UpstreamEventType::kOutputItemDone, "r", "i"},
      {R"({"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":""})",
       UpstreamEventType::kAudioDelta, "r", "i"},
      {R"({"type":"conversation.item.added","item":{"id":"i"}})", UpstreamEventType::kItemAdded, "",
       "i"},
      {R"({"type":"conversation.item.deleted","item_id":"i"})", UpstreamEventType::kItemDeleted, "",
       "i"},
      {R"({"type":"rate_limits.updated"})", UpstreamEventType::kPassedOn, "", ""},
      {R"({"type":"brand.new"})", UpstreamEventType::kUnknown, "", ""},
      {R"({"type":"response.created","response":7})", UpstreamEventType::kResponseCreated, "", ""},
  };
  for (const Case& c : cases) {
    const auto event = ParseUpstreamEvent(c.text);
    ASSERT_TRUE(event.ok()) << c.text;
    EXPECT_EQ(event->type, c.type) << c.text;
    EXPECT_EQ(event->response_id, c.response_id) << c.text;
    EXPECT_EQ(event->item_id, c.item_id) << c.text;
  }
}

TEST(ParseUpstreamEvent, RefusesWhatIsNoEvent) {
  for (const char* text : {"", "nonsense", "[]", "7", "{}", R"({"type":7})", R"({"type":null})"}) {
    EXPECT_FALSE(ParseUpstreamEvent(text).ok()) << text;
  }
}

TEST(ErrorEvent, WritesAbsentPartsAsNullAndReadsThemBack) {
  ProtocolError error;
  error.code = "c";
  error.message = "m";
  const std::string text = ErrorEvent("e", error);
  EXPECT_EQ(text,
            R"({"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"c",)"
            R"("message":"m","param":null,"event_id":null}})");
  const ProtocolError back = ErrorOf(ParseObject(text).value());
  EXPECT_EQ(back.code, "c");
  EXPECT_EQ(back.param, "");
}

TEST(ClientEvents, AreComplete) {
  EXPECT_EQ(ResponseCancelEvent("e", "r"),
            R"({"type":"response.cancel","event_id":"e","response_id":"r"})");
  EXPECT_EQ(
      ItemTruncateEvent("e", "i", 0, 1500),
      R"({"type":"conversation.item.truncate","event_id":"e","item_id":"i","content_index":0,)"
      R"("audio_end_ms":1500})");
  EXPECT_EQ(ItemDeleteEvent("e", "i"),
            R"({"type":"conversation.item.delete","event_id":"e","item_id":"i"})");
  EXPECT_EQ(InputAudioAppendEvent(std::string("\x01\x02", 2)),
            R"({"type":"input_audio_buffer.append","audio":"AQI="})");
}

}  // namespace
}  // namespace voicebridge::worker
