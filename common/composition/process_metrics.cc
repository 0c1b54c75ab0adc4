#include "common/composition/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "common/core/wall_clock.h"

namespace voicebridge {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Without the one that lists them.
double OpenDescriptors() {
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {
    return 0;
  }
  double count = -1;
  while (const dirent* entry = ::readdir(directory)) {
    count += entry->d_name[0] == '.' ? 0 : 1;
  }
  ::closedir(directory);
  return count;
}

double DescriptorsMax() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

void AddUsage(ProcessRegistry& registry) {
  AddGauge(registry, "process_start_time_seconds", "When the process began, since 1970.")
      .Set(static_cast<double>(UnixNow()));
  AddGauge(registry, "process_max_fds", "File descriptors that may be open.").Set(DescriptorsMax());
  auto& cpu = AddCounter(registry, "process_cpu_seconds_total", "User and system time.");
  auto& resident = AddGauge(registry, "process_resident_memory_bytes", "Memory in use.");
  auto& descriptors = AddGauge(registry, "process_open_fds", "File descriptors that are open.");
  registry.OnCollect([&cpu, &resident, &descriptors] {
    cpu.Increment(CpuSeconds() - cpu.Value());
    resident.Set(ResidentBytes());
    descriptors.Set(OpenDescriptors());
  });
}

// A kind of task has a name that stands in the source: the set of labels is closed.
void AddTasks(ProcessRegistry& registry, const std::string& prefix, const LiveTasks& tasks) {
  auto& family = prometheus::BuildGauge()
                     .Name(prefix + "_tasks")
                     .Help("Live coroutines in task groups, by kind.")
                     .Register(registry);
  registry.OnCollect(
      [&family, &tasks, gauges = std::map<std::string, prometheus::Gauge*>()]() mutable {
        for (const auto& [kind, gauge] : gauges) {
          gauge->Set(0);
        }
        tasks.ForEachKind([&](std::string_view name, std::int64_t count) {
          prometheus::Gauge*& gauge = gauges[std::string(name)];
          if (gauge == nullptr) {
            gauge = &family.Add({{"kind", std::string(name)}});
          }
          gauge->Set(static_cast<double>(count));
        });
      });
}

}  // namespace

void AddProcessMetrics(ProcessRegistry& registry, const std::string& prefix,
                       const LiveTasks& tasks) {
  prometheus::BuildGauge()
      .Name(prefix + "_build_info")
      .Help("1; the version is its label.")
      .Register(registry)
      .Add({{"version", VOICEBRIDGE_VERSION}})
      .Set(1);
  AddUsage(registry);
  AddTasks(registry, prefix, tasks);
}

}  // namespace voicebridge
