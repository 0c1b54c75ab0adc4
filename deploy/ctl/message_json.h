// Messages as JSON for machines.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace voicebridge::ctl {

// One object on one line, members named as in proto/, also those that hold nothing.
std::string MessageJson(const google::protobuf::Message& message);

}  // namespace voicebridge::ctl
