#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/config/run_config.h"

namespace dualdepth {
namespace {

void throw_if_any(const std::vector<ErrorParts>& problems) {
  if (problems.empty()) return;
  std::string lines;
  for (const ErrorParts& problem : problems) {
    lines += (lines.empty() ? "" : "\n") + to_string(problem);
  }
  throw ConfigError(lines);
}

bool contains(const std::vector<int64_t>& values, int64_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

template <class T>
std::string list_text(const std::vector<T>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace

std::vector<ErrorParts> CodecOptions::problems() const {
  std::vector<ErrorParts> problems;
  if (n_integer_levels < 2 || n_integer_levels > 256) {
    problems.push_back({.subject = "model.params.n_integer_levels",
                        .expected = "2 to 256",
                        .got = fmt::format("{}", n_integer_levels),
                        .fix = ""});
  }
  if (!(min_depth > 0 && min_depth < max_depth)) {
    problems.push_back({.subject = "model.params.min_depth",
                        .expected = fmt::format("above 0 and below max_depth ({} m)", max_depth),
                        .got = fmt::format("{} m", min_depth),
                        .fix = ""});
  }
  const bool linear_only = codec == CodecKind::kRounded || codec == CodecKind::kContinuous;
  if (linear_only && spacing != Spacing::kLinear) {
    problems.push_back({.subject = "model.params.spacing",
                        .expected = fmt::format("linear with codec: {}", enum_name(codec)),
                        .got = std::string(enum_name(spacing)),
                        .fix = "take codec: reflected or step for other spacings"});
  }
  return problems;
}

std::vector<ErrorParts> ModelOptions::problems() const {
  std::vector<ErrorParts> problems = params.codec.problems();
  const std::vector<int64_t>& scales = head.scales;
  const bool repeats = std::any_of(scales.begin(), scales.end(), [&](int64_t scale) {
    return std::count(scales.begin(), scales.end(), scale) > 1;
  });
  if (repeats || !contains(scales, 0)) {
    problems.push_back({.subject = "model.head.scales",
                        .expected = "scale 0, which predicts, and each scale once",
                        .got = list_text(scales),
                        .fix = ""});
  }
  return problems;
}

std::vector<ErrorParts> DataOptions::problems() const {
  std::vector<ErrorParts> problems;
  constexpr int64_t kNetworkStride = 32;
  for (const int64_t size : image_shape) {
    if (size % kNetworkStride == 0) continue;
    problems.push_back({.subject = "data.image_shape",
                        .expected = "multiples of 32 px",
                        .got = list_text(image_shape),
                        .fix = ""});
    break;
  }
  return problems;
}

std::vector<ErrorParts> RunConfig::problems() const {
  std::vector<ErrorParts> problems = model.problems();
  const std::vector<ErrorParts> of_data = data.problems();
  problems.insert(problems.end(), of_data.begin(), of_data.end());
  for (size_t scale = 0; scale < loss.scale_weights.size(); ++scale) {
    if (loss.scale_weights[scale] == 0 || contains(model.head.scales, static_cast<int64_t>(scale)))
      continue;
    problems.push_back(
        {.subject = "loss.scale_weights",
         .expected = fmt::format("0 for scale {}, which is not in model.head.scales", scale),
         .got = list_text(loss.scale_weights),
         .fix = ""});
  }
  if (std::all_of(loss.scale_weights.begin(), loss.scale_weights.end(),
                  [](double weight) { return weight == 0; })) {
    problems.push_back({.subject = "loss.scale_weights",
                        .expected = "a weight above 0",
                        .got = list_text(loss.scale_weights),
                        .fix = ""});
  }
  if (schedule.type == ScheduleKind::kStep && schedule.milestones.empty()) {
    problems.push_back({.subject = "schedule.milestones",
                        .expected = "at least one epoch for schedule.type: step",
                        .got = "[]",
                        .fix = ""});
  }
  if (!std::is_sorted(schedule.milestones.begin(), schedule.milestones.end())) {
    problems.push_back({.subject = "schedule.milestones",
                        .expected = "epochs in rising order",
                        .got = list_text(schedule.milestones),
                        .fix = ""});
  }
  if (quantize.fake && quantize.checkpoint.empty()) {
    problems.push_back({.subject = "quantize.checkpoint",
                        .expected = "a trained checkpoint for quantize.fake: true",
                        .got = "nothing",
                        .fix = "train without it first"});
  }
  return problems;
}

void CodecOptions::check() const { throw_if_any(problems()); }
void ModelOptions::check() const { throw_if_any(problems()); }
void DataOptions::check() const { throw_if_any(problems()); }
void RunConfig::check() const { throw_if_any(problems()); }

}  // namespace dualdepth
