// JSON objects that came in as google.protobuf.Struct: schemas in profiles.
#pragma once

#include <google/protobuf/struct.pb.h>

#include "common/json/json.h"

namespace voicebridge {

// Members sorted by name, so that the same Struct gives the same text; whole numbers are integers.
json::object ToJson(const google::protobuf::Struct& object);

}  // namespace voicebridge
