#include "bridge_worker/store/sql_database.h"

#include <utility>

namespace voicebridge::worker {
namespace {

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::string InDialect(std::string_view sql, const SqlDialect& dialect) {
  const std::pair<std::string_view, std::string_view> places[] = {
      {"{wall_ms}", dialect.wall_ms},         {"{lease_ms}", dialect.lease_ms},
      {"{lease_clock}", dialect.lease_clock}, {"{skip_locked}", dialect.skip_locked},
      {"{serial_key}", dialect.serial_key},   {"{migration_lock}", dialect.migration_lock},
  };
  std::string text(sql);
  for (const auto& [place, replacement] : places) {
    ReplaceAll(text, place, replacement);
  }
  return text;
}

}  // namespace voicebridge::worker
