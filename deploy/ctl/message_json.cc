#include "deploy/ctl/message_json.h"

#include <google/protobuf/util/json_util.h>

namespace voicebridge::ctl {

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  // Fails only for messages with Any, of which there are none.
  static_cast<void>(google::protobuf::util::MessageToJsonString(message, &text, options));
  return text;
}

}  // namespace voicebridge::ctl
