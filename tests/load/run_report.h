// The end of a run: what was wrong, and the parts of the report that every mode has.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/histogram.h"
#include "tests/load/json_text.h"
#include "tests/load/options.h"

namespace voicebridge::load {

struct RunReport {
  std::string json;                   // One line.
  std::vector<std::string> problems;  // None: the run is good.
};

// Adds the problems and the verdict to what a mode has written.
RunReport FinishReport(JsonText text, std::vector<std::string> problems);

// Mode, sizes, times, seed.
JsonText BeginReport(const LoadOptions& options);

// count, mean, p50, p90, p99, p99.9 and max in milliseconds.
std::string PercentilesToJson(const Histogram& histogram);

// "3 sessions failed: session 4 …; session 7 …", the first few of them.
std::string DescribeFailures(const std::map<std::size_t, std::string>& failures);

// CPU time of this process so far.
Duration OwnCpu();

}  // namespace voicebridge::load
