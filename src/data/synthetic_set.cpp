#include "dualdepth/data/synthetic_set.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/base/progress.h"

namespace dualdepth::synthetic {
namespace {

constexpr int kFramesPerSequence = 10;
constexpr int kMaxFrames = 90'000;  // numbers of sequences have four digits
constexpr int kMinSide = 32;
constexpr int kMaxSide = 8192;

void check(const SyntheticSetOptions& options) {
  const auto expect = [](bool holds, const char* subject, const std::string& range,
                         const std::string& got) {
    if (!holds) throw Error({.subject = subject, .expected = range, .got = got, .fix = ""});
  };
  const auto [width, height] = options.size;
  expect(options.frames >= 2 && options.frames <= kMaxFrames, "frames",
         fmt::format("2 to {} (one for train and val each at least)", kMaxFrames),
         std::to_string(options.frames));
  expect(std::min(width, height) >= kMinSide && std::max(width, height) <= kMaxSide, "shape",
         fmt::format("sides of {} to {} px", kMinSide, kMaxSide),
         fmt::format("{}x{}", height, width));
}

}  // namespace

std::vector<SequencePlan> plan_sequences(const SyntheticSetOptions& options) {
  check(options);
  const int count = std::max(2, (options.frames + kFramesPerSequence - 1) / kFramesPerSequence);
  std::vector<SequencePlan> sequences;
  for (int i = 0; i < count; ++i) {
    const bool validation = i % 5 == 4 || (count < 5 && i == count - 1);
    const int frames = options.frames / count + (i < options.frames % count ? 1 : 0);
    sequences.push_back({i, frames, validation});
  }
  return sequences;
}

SyntheticSetSummary summary_of(const std::vector<SequencePlan>& sequences) {
  SyntheticSetSummary summary{.sequences = static_cast<int>(sequences.size())};
  for (const SequencePlan& sequence : sequences) {
    (sequence.validation ? summary.val_frames : summary.train_frames) += sequence.frames;
  }
  return summary;
}

bool render_frames(const std::vector<SequencePlan>& sequences, const SyntheticSetOptions& options,
                   const StopSignal& stop,
                   const std::function<void(const SequencePlan& sequence, int frame)>& render) {
  struct Job {
    const SequencePlan* sequence;
    int frame;
  };
  std::vector<Job> jobs;
  for (const SequencePlan& sequence : sequences) {
    for (int frame = 0; frame < sequence.frames; ++frame) jobs.push_back({&sequence, frame});
  }
  ProgressLine progress("synthesize", jobs.size());
  std::mutex progress_mutex;
  size_t done = 0;
  parallel_for(jobs.size(), resolve_thread_count(options.threads), [&](size_t i) {
    if (stop.requested()) return;
    render(*jobs[i].sequence, jobs[i].frame);
    const std::lock_guard lock(progress_mutex);
    progress.update(++done);
  });
  return !stop.requested();
}

std::string describe_set(std::string_view layout, const SyntheticSetOptions& options) {
  const nlohmann::ordered_json description{{"layout", layout},
                                           {"frames", options.frames},
                                           {"seed", options.seed},
                                           {"shape", {options.size.height, options.size.width}}};
  return description.dump(2) + "\n";
}

}  // namespace dualdepth::synthetic
