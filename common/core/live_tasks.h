// The live tasks of a process, counted by kind in a fixed table.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace voicebridge {

// The kind of a task: a string literal, so that it can be read for as long as the process lives,
// and words that stand in a log line without being escaped. Anything else does not compile.
class TaskName {
 public:
  consteval TaskName(const char* literal) : text_(literal) {
    for (const char* c = literal; *c != '\0'; ++c) {
      if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\') {
        throw "the name of a task needs no escaping";
      }
    }
  }

  std::string_view view() const { return text_; }
  const char* text() const { return text_; }

 private:
  const char* text_;
};

// Nothing here locks or allocates: the watchdog reads it while the rest of the process is stuck.
// All methods may be called from any thread at the same time. Counts are read one by one, so they
// need not add up to the total while tasks come and go.
class LiveTasks {
 public:
  static constexpr std::size_t kKindsMax = 64;  // Some 30 are in use.
  static constexpr std::string_view kOtherKinds = "others";

  using Kind = std::size_t;  // A row of the table.

  LiveTasks() = default;
  LiveTasks(const LiveTasks&) = delete;
  LiveTasks& operator=(const LiveTasks&) = delete;

  // Equal text is one kind, wherever it was written. Kinds that find no row are counted together.
  Kind Add(TaskName name);
  void Remove(Kind kind);

  std::int64_t total() const { return total_.load(std::memory_order_relaxed); }

  // Calls `visit(std::string_view name, std::int64_t count)` for each kind with a live task.
  template <class Visit>
  void ForEachKind(Visit visit) const {
    for (Kind kind = 0; kind <= kKindsMax; ++kind) {
      const std::int64_t count = rows_[kind].count.load(std::memory_order_relaxed);
      if (count > 0) {
        visit(NameOf(kind), count);
      }
    }
  }

 private:
  // A name is set once and stays; rows are taken in order.
  struct Row {
    std::atomic<const char*> name = nullptr;
    std::atomic<std::int64_t> count = 0;
  };

  Kind Find(const char* name);
  std::string_view NameOf(Kind kind) const;

  std::array<Row, kKindsMax + 1> rows_;  // The last one is for all other kinds.
  std::atomic<std::int64_t> total_ = 0;
};

// Is counted for as long as it lives; the table outlives it.
class ScopedTask {
 public:
  ScopedTask(LiveTasks& tasks, TaskName name) : tasks_(tasks), kind_(tasks.Add(name)) {}
  ~ScopedTask() { tasks_.Remove(kind_); }
  ScopedTask(const ScopedTask&) = delete;
  ScopedTask& operator=(const ScopedTask&) = delete;

 private:
  LiveTasks& tasks_;
  const LiveTasks::Kind kind_;
};

}  // namespace voicebridge
