#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "dualdepth/base/progress.h"
#include "dualdepth/train/event_file.h"
#include "dualdepth/train/metrics_log.h"
#include "dualdepth/train/train_step.h"
#include "dualdepth/train/validation.h"

namespace dualdepth {

// What a step was taken with.
struct StepContext {
  int64_t step = 0;   // taken, this one included
  int64_t epoch = 0;  // of its batches
  double lr = 0;
  int64_t images = 0;
  double seconds_waited = 0;  // for data, since the run was started
  int64_t skipped_steps = 0;  // since the start
};

// Tells of a run in three places: a live line on standard error, metrics.jsonl and the event files;
// the pictures of each validation also go to panels/step-N.jpg.
// Every `log_every` steps it writes the means since the last time: loss and its parts, gradient
// norm, lr, images/s, share of time spent waiting for data, share of ground-truth pixels out of
// range, skipped steps.
class RunLog {
 public:
  // Continues the files in `folder` after `first_step`.
  RunLog(const std::filesystem::path& folder, int64_t first_step, int64_t total_steps,
         int64_t log_every);

  void add_step(const StepContext& context, const StepResult& result);

  void add_validation(int64_t step, int64_t epoch, const ValidationResult& result);

  // Takes the time of its life, spent on validation and checkpoints, out of images/s.
  class Pause {
   public:
    explicit Pause(RunLog& log) : log_(log) {}
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    RunLog& log_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  };
  [[nodiscard]] Pause pause() { return Pause(*this); }

 private:
  // Sums since the last row.
  struct Window {
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    double excluded_seconds = 0;
    double waited_before = 0;
    int64_t steps = 0;
    int64_t images = 0;
    int64_t updates = 0;
    StepResult sums;
  };

  MetricRow row_of(const StepContext& context) const;
  void write_to_events(const std::string& group, const MetricRow& row, int64_t step);
  void write_panels(std::vector<cv::Mat> columns, int64_t step) const;
  std::string detail_of(const StepContext& context, const StepResult& result) const;

  std::filesystem::path folder_;
  int64_t total_steps_;
  int64_t log_every_;
  MetricsLog metrics_;
  EventFile events_;
  ProgressLine progress_;
  Window window_;
};

}  // namespace dualdepth
