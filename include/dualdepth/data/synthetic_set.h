#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <opencv2/core.hpp>
#include <string_view>
#include <vector>

#include "dualdepth/base/stop_signal.h"

namespace dualdepth::synthetic {

// A set of rendered sequences, whatever its layout on disk.
struct SyntheticSetOptions {
  std::filesystem::path out;
  int frames = 200;  // in all sequences together, at least 2
  uint64_t seed = 0;
  cv::Size size{640, 192};  // px, sides of at least 32
  int threads = 0;          // 0: all cores
};

struct SyntheticSetSummary {
  int sequences = 0;
  int train_frames = 0;
  int val_frames = 0;
};

// 10 frames each at most; every fifth sequence, or the last of fewer, is in val alone.
struct SequencePlan {
  int index = 0;
  int frames = 0;
  bool validation = false;
};

// Throws Error for options out of range.
std::vector<SequencePlan> plan_sequences(const SyntheticSetOptions& options);

SyntheticSetSummary summary_of(const std::vector<SequencePlan>& sequences);

// Calls `render` for each frame on options.threads threads, with a progress line. Returns false
// when `stop` was requested, which leaves the rest undone.
bool render_frames(const std::vector<SequencePlan>& sequences, const SyntheticSetOptions& options,
                   const StopSignal& stop,
                   const std::function<void(const SequencePlan& sequence, int frame)>& render);

// The text of synthetic.json (see base/staged_folder.h).
std::string describe_set(std::string_view layout, const SyntheticSetOptions& options);

}  // namespace dualdepth::synthetic
