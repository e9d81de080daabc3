#include "dualdepth/train/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/io/image.h"

namespace dualdepth {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

RunLog::RunLog(const std::filesystem::path& folder, int64_t first_step, int64_t total_steps,
               int64_t log_every)
    : folder_(folder),
      total_steps_(total_steps),
      log_every_(log_every),
      metrics_(folder / "metrics.jsonl", first_step),
      events_(folder / "events", first_step),
      progress_("train", static_cast<size_t>(total_steps), static_cast<size_t>(first_step)) {
  make_writable_folder(folder_ / "panels");
}

void RunLog::add_step(const StepContext& context, const StepResult& result) {
  StepResult& sums = window_.sums;
  ++window_.steps;
  window_.images += context.images;
  sums.pixels += result.pixels;
  sums.out_of_range += result.out_of_range;
  if (result.outcome == StepOutcome::kUpdated) {
    ++window_.updates;
    sums.loss += result.loss;
    sums.integer += result.integer;
    sums.fractional += result.fractional;
    sums.consistency += result.consistency;
    sums.gradient_norm += result.gradient_norm;
  }
  progress_.update(static_cast<size_t>(context.step), detail_of(context, result));
  if (context.step % log_every_ != 0 && context.step != total_steps_) return;
  const MetricRow row = row_of(context);
  metrics_.add(context.step, row);
  write_to_events("train/", row, context.step);
  window_ = Window();
  window_.waited_before = context.seconds_waited;
}

void RunLog::add_validation(int64_t step, int64_t epoch, const ValidationResult& result) {
  MetricRow row;
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*field) {
    row.emplace_back(name, result.evaluation.summary.*field);
  });
  std::vector<cv::Mat> columns;
  for (const Panel& panel : result.panels) {
    events_.add_image("val/" + panel.sample_id, panel.rgb, step);
    columns.push_back(panel.rgb);
  }
  write_panels(columns, step);
  if (!result.level_counts.empty()) {
    events_.add_level_histogram("val/levels", result.level_counts, step);
  }
  write_to_events("val/", row, step);
  for (auto& [name, value] : row) name.insert(0, "val/");
  row.emplace(row.begin(), "epoch", static_cast<double>(epoch));
  metrics_.add(step, row);
}

// Side by side; heights differ where pictures do.
void RunLog::write_panels(std::vector<cv::Mat> columns, int64_t step) const {
  if (columns.empty()) return;
  int height = 0;
  for (const cv::Mat& column : columns) height = std::max(height, column.rows);
  for (cv::Mat& column : columns) {
    cv::copyMakeBorder(column, column, 0, height - column.rows, 0, 4, cv::BORDER_CONSTANT);
  }
  cv::Mat row;
  cv::hconcat(columns, row);
  write_rgb(folder_ / "panels" / fmt::format("step-{}.jpg", step), row);
}

RunLog::Pause::~Pause() { log_.window_.excluded_seconds += seconds_since(start_); }

MetricRow RunLog::row_of(const StepContext& context) const {
  const StepResult& sums = window_.sums;
  const auto updates = static_cast<double>(window_.updates);
  const double seconds = seconds_since(window_.start) - window_.excluded_seconds;
  const auto seen = static_cast<double>(sums.pixels + sums.out_of_range);
  MetricRow row{{"epoch", static_cast<double>(context.epoch)}, {"lr", context.lr}};
  if (window_.updates > 0) {
    row.insert(row.end(), {{"loss", sums.loss / updates},
                           {"loss_integer", sums.integer / updates},
                           {"loss_fractional", sums.fractional / updates},
                           {"loss_consistency", sums.consistency / updates},
                           {"gradient_norm", sums.gradient_norm / updates}});
  }
  row.insert(row.end(),
             {{"images_per_s", share(static_cast<double>(window_.images), seconds)},
              {"wait_share", share(context.seconds_waited - window_.waited_before, seconds)},
              {"pixels_per_step",
               share(static_cast<double>(sums.pixels), static_cast<double>(window_.steps))},
              {"out_of_range_share", share(static_cast<double>(sums.out_of_range), seen)},
              {"skipped_steps", static_cast<double>(context.skipped_steps)}});
  return row;
}

void RunLog::write_to_events(const std::string& group, const MetricRow& row, int64_t step) {
  for (const auto& [name, value] : row) events_.add_scalar(group + name, value, step);
  events_.flush();
}

std::string RunLog::detail_of(const StepContext& context, const StepResult& result) const {
  const double seconds = seconds_since(window_.start) - window_.excluded_seconds;
  return fmt::format("loss {:.4f}  {:.1f} images/s  waiting {:.1f} %", result.loss,
                     share(static_cast<double>(window_.images), seconds),
                     100 * share(context.seconds_waited - window_.waited_before, seconds));
}

}  // namespace dualdepth
