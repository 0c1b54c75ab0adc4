// A small schema language for client events, and the refusals that its violations earn.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/json.h"
#include "tests/simulator/refusal.h"

namespace voicebridge::simulator {

struct Member;

// What a JSON value must look like. Values are compared with the first violation in mind: the live
// service reports one per event.
struct Schema {
  enum class Kind {
    kAny,
    kAnyObject,
    kString,  // At most `max` characters.
    kBool,
    kInteger,  // Within min and max, like kNumber.
    kNumber,
    kEnum,    // One of `values`.
    kObject,  // Exactly `members`.
    kArray,   // Of `inner[0]`.
    kOneOf,   // The first of `inner` whose JSON type fits.
    kTagged,  // An object whose member `tag` names the one of `members` that describes it.
    kStrings  // An object of at most `max` members, all strings.
  };

  Kind kind = Kind::kAny;
  bool nullable = false;
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
  std::string tag;
  std::vector<std::string> values;
  std::vector<Schema> inner;
  std::vector<Member> members;
};

struct Member {
  std::string name;
  Schema schema;
  bool required = false;
};

Schema Any();
Schema AnyObject();
Schema String(std::size_t length_max = 1U << 20U);
Schema Bool();
Schema Integer(double min, double max);
Schema Number(double min, double max);
Schema Enum(std::vector<std::string> values);
Schema Object(std::vector<Member> members);
Schema Array(Schema element);
Schema OneOf(std::vector<Schema> alternatives);
Schema Tagged(std::string tag, std::vector<Member> variants);
Schema Strings(std::size_t count_max, std::size_t length_max);
Schema OrNull(Schema schema);
Member Required(std::string name, Schema schema);
Member Optional(std::string name, Schema schema);

// The first violation, or nullopt. `path` names the value: "session.audio".
std::optional<Refusal> Check(const Schema& schema, const json::value& value,
                             const std::string& path);

// "'a', 'b', and 'c'", as the live service lists supported values.
std::string ListOf(const std::vector<std::string>& values);

}  // namespace voicebridge::simulator
