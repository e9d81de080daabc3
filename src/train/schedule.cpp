#include "dualdepth/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dualdepth {
namespace {

constexpr double kOneCycleStart = 1.0 / 25;

// From `from` at t = 0 to `to` at t = 1.
double cosine_between(double from, double to, double t) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

double one_cycle(const ScheduleOptions& options, int64_t total_steps, int64_t step) {
  const auto last = static_cast<double>(total_steps - 1);
  const double peak = std::max(options.warmup_share * static_cast<double>(total_steps) - 1, 0.0);
  const double at = std::min(static_cast<double>(step), last);
  if (at < peak) return cosine_between(kOneCycleStart, 1, at / peak);
  return cosine_between(1, options.final_scale, last > peak ? (at - peak) / (last - peak) : 1);
}

double step_decay(const ScheduleOptions& options, int64_t steps_per_epoch, int64_t step) {
  const auto passed = std::ranges::count_if(
      options.milestones, [&](int64_t epoch) { return step >= epoch * steps_per_epoch; });
  return std::pow(options.gamma, passed);
}

double after_warmup(const ScheduleOptions& options, const RunLength& length, int64_t step) {
  const int64_t decaying_steps = std::max<int64_t>(length.total_steps - options.warmup_steps, 1);
  const double t = std::clamp(
      static_cast<double>(step - options.warmup_steps) / static_cast<double>(decaying_steps), 0.0,
      1.0);
  switch (options.type) {
    case ScheduleKind::kStep:
      return step_decay(options, length.steps_per_epoch, step);
    case ScheduleKind::kCosine:
      return cosine_between(1, options.final_scale, t);
    case ScheduleKind::kPolynomial:
      return options.final_scale + (1 - options.final_scale) * std::pow(1 - t, options.power);
    case ScheduleKind::kConstant:
    case ScheduleKind::kOneCycle:
      break;
  }
  return 1;
}

}  // namespace

double learning_rate_scale(const ScheduleOptions& options, const RunLength& length, int64_t step) {
  if (options.type == ScheduleKind::kOneCycle) return one_cycle(options, length.total_steps, step);
  const double warmup = step < options.warmup_steps ? static_cast<double>(step + 1) /
                                                          static_cast<double>(options.warmup_steps)
                                                    : 1.0;
  return warmup * after_warmup(options, length, step);
}

}  // namespace dualdepth
