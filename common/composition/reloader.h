// Takes files anew that change while the process runs.
#pragma once

#include <prometheus/counter.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/config/file_watch.h"
#include "common/config/named_file.h"
#include "common/observability/log.h"

namespace voicebridge {

// Reads its files every half second and compares contents, so that it does not matter how they are
// replaced: written over, renamed, or behind a symbolic link that is turned. They are a few and
// small, and on a local disk. Owned by the composition root; lives on one executor.
class Reloader {
 public:
  // Takes what the files hold now, all of it or nothing; nothing when it complains.
  using Take = std::function<void(const std::vector<NamedFile>& files, ConfigErrors& errors)>;

  static constexpr Duration kInterval = milliseconds(500);

  // `refused` counts files that were not taken. All of them outlive the reloader.
  Reloader(Clock& clock, prometheus::Counter& refused, Logger& logger)
      : clock_(clock), refused_(refused), logger_(logger) {}

  // Files that make sense together only; they are in force as they are handed over. Before Start.
  void Add(const std::vector<NamedFile>& in_force, Take take);

  // One task, if there is anything to watch, until the group is cancelled.
  void Start(TaskGroup& tasks);

 private:
  struct Group {
    std::vector<NamedFile> files;  // By name only.
    Take take;
    FileWatch watch;
  };

  Awaitable<void> Run();
  void Look(Group& group);
  void Refuse(const ConfigErrors& errors);

  Clock& clock_;
  prometheus::Counter& refused_;
  Logger& logger_;
  std::vector<Group> groups_;
};

}  // namespace voicebridge
