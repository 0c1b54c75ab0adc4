#include "common/composition/reloader.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace voicebridge {
namespace {

// A digest for each, so that no second copy of a secret is kept.
void AppendPrint(std::string_view text, std::string& print) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  print.append(reinterpret_cast<const char*>(digest), sizeof(digest));
}

std::string PrintOf(const std::vector<NamedFile>& files) {
  std::string print;
  for (const NamedFile& file : files) {
    AppendPrint(file.text.Reveal(), print);
  }
  return print;
}

// On one line, as a field of a log line.
std::string OnOneLine(std::string problems) {
  std::replace(problems.begin(), problems.end(), '\n', ';');
  return problems;
}

}  // namespace

void Reloader::Add(const std::vector<NamedFile>& in_force, Take take) {
  std::vector<NamedFile> names;
  names.reserve(in_force.size());
  for (const NamedFile& file : in_force) {
    names.push_back({file.flag, file.path, Secret()});
  }
  groups_.push_back({std::move(names), std::move(take), FileWatch(PrintOf(in_force))});
}

void Reloader::Start(TaskGroup& tasks) {
  if (!groups_.empty()) {
    tasks.TrySpawn("reload files", Run());
  }
}

Awaitable<void> Reloader::Run() {
  bool go_on = true;
  while (go_on) {
    for (Group& group : groups_) {
      Look(group);
    }
    go_on = co_await clock_.SleepUntil(Deadline::After(clock_.Now(), kInterval));
  }
}

void Reloader::Look(Group& group) {
  ConfigErrors errors;
  std::vector<NamedFile> files;
  std::string print;
  for (const NamedFile& named : group.files) {
    if (std::optional<NamedFile> file = ReadNamedFile(named.flag, named.path, errors)) {
      AppendPrint(file->text.Reveal(), print);
      files.push_back(*std::move(file));
    } else {
      print += "unreadable";
    }
  }
  if (!group.watch.OnLook(std::move(print))) {
    return;
  }
  if (errors.empty()) {
    group.take(files, errors);
  }
  if (!errors.empty()) {
    Refuse(errors);
  }
}

void Reloader::Refuse(const ConfigErrors& errors) {
  refused_.Increment();
  const std::string reason = OnOneLine(errors.ToString());
  logger_.Error("reload.refused", {{"reason", reason}, {"note", "what was loaded before stays"}});
}

}  // namespace voicebridge
