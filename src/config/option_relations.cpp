#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

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

// Options of one kind of head that another kind would ignore.
std::vector<ErrorParts> head_problems(const ModelOptions& model) {
  std::vector<ErrorParts> problems;
  const auto expect = [&](bool holds, const char* key, std::string expected, std::string got) {
    if (holds) return;
    problems.push_back({.subject = std::string("model.") + key,
                        .expected = std::move(expected),
                        .got = std::move(got),
                        .fix = ""});
  };
  const HeadOptions& head = model.head;
  const HeadOptions defaults;
  const std::string kind(enum_name(head.kind));
  const bool original_key_fits = model.params.use_dual_head ||
                                 head.kind == HeadKind::kCategorical ||
                                 head.kind == HeadKind::kSigmoid;
  expect(original_key_fits, "head.kind",
         "sigmoid, or left out, with model.params.use_dual_head: false", kind);
  const bool has_axis = head.kind == HeadKind::kCumulative || head.kind == HeadKind::kHilbert;
  const CodecKind codec = model.params.codec.codec;
  expect(!has_axis || codec == CodecKind::kReflected || codec == CodecKind::kStep, "params.codec",
         fmt::format("reflected or step with model.head.kind: {}", kind),
         std::string(enum_name(codec)));
  expect(!has_axis || head.level_smoothing == 0, "head.level_smoothing",
         fmt::format("0 with model.head.kind: {}", kind), fmt::format("{}", head.level_smoothing));
  const LevelDecoding decoding = model.params.codec.decoding;
  const bool has_levels =
      model.head_kind() == HeadKind::kCategorical && codec != CodecKind::kContinuous;
  expect(has_levels || decoding == LevelDecoding::kArgmax, "params.decoding",
         "argmax without the levels of a categorical head", std::string(enum_name(decoding)));
  if (head.kind == HeadKind::kCumulative) return problems;
  expect(head.slope == defaults.slope, "head.slope",
         fmt::format("{} with model.head.kind: {}", defaults.slope, kind),
         fmt::format("{}", head.slope));
  expect(head.quantile == defaults.quantile, "head.quantile",
         fmt::format("{} with model.head.kind: {}", defaults.quantile, kind),
         fmt::format("{}", head.quantile));
  return problems;
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
  if (hilbert_order < 1 || hilbert_order > 6) {
    problems.push_back({.subject = "model.params.hilbert_order",
                        .expected = "1 to 6",
                        .got = fmt::format("{}", hilbert_order),
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
  if (repeats || scales.empty()) {
    problems.push_back({.subject = "model.head.scales",
                        .expected = "at least one scale, and each once",
                        .got = list_text(scales),
                        .fix = ""});
  }
  std::ranges::move(head_problems(*this), std::back_inserter(problems));
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
