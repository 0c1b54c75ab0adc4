// How a drain is told to people and machines.
#pragma once

#include <cstddef>
#include <string>

#include "common/core/time.h"
#include "voicebridge/v1/drain.pb.h"

namespace voicebridge::ctl {

// What the line of a terminal allows.
struct BarStyle {
  std::size_t columns = 80;
  bool colours = false;
};

// A bar and how far the drain is, never wider than the line. `time_left` is that of now, not that
// of the message.
std::string ProgressBar(const v1::DrainProgress& progress, Duration time_left,
                        const BarStyle& style);

// The same in words.
std::string ProgressText(const v1::DrainProgress& progress, Duration time_left);

// Whether nothing was cut off, lost or left behind.
bool IsClean(const v1::DrainSummary& summary);

// Lines for people: how long it took, what became of the sessions, and what went wrong.
std::string SummaryText(const std::string& address, const v1::DrainRequest& asked,
                        const v1::DrainSummary& summary);

// One JSON object: `address`, `asked`, `clean`, `summary`.
std::string SummaryJson(const std::string& address, const v1::DrainRequest& asked,
                        const v1::DrainSummary& summary);

}  // namespace voicebridge::ctl
