#include "dualdepth/runtime/head_check.h"

#include <algorithm>
#include <cmath>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/data/resize.h"

namespace dualdepth {
namespace {

constexpr int64_t kFractionIntervals = 32;

torch::Tensor floats_of(const cv::Mat& map) {
  CV_Assert(map.type() == CV_32FC1 && map.isContinuous());
  return torch::from_blob(map.data, {map.rows, map.cols}, torch::kFloat32);
}

torch::Tensor levels_of(const cv::Mat& level) {
  cv::Mat wide;
  level.convertTo(wide, CV_32S);
  return torch::from_blob(wide.data, {wide.rows, wide.cols}, torch::kInt32).to(torch::kInt64);
}

void count(std::vector<int64_t>& counts, const torch::Tensor& indices) {
  const auto found = torch::bincount(indices.flatten(), {}, static_cast<int64_t>(counts.size()));
  const auto* values = found.const_data_ptr<int64_t>();
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += values[i];
}

}  // namespace

double HeadReport::levels_used() const {
  const auto used = std::ranges::count_if(level_counts, [](int64_t n) { return n > 0; });
  return static_cast<double>(used) / static_cast<double>(level_counts.size());
}

// Sums over pixels, divided in report().
class HeadCheck::Sums {
 public:
  explicit Sums(const CodecOptions& codec);

  void add(const Prediction& prediction, const cv::Mat& truth, const cv::Mat& valid_mask);
  HeadReport report() const;

 private:
  struct ErrorSums {
    double relative = 0;
    double absolute = 0;
  };

  void add_heads(const Prediction& prediction);
  void add_errors(const torch::Tensor& level, const torch::Tensor& fraction,
                  const torch::Tensor& truth);

  DepthCodec codec_;
  HeadReport report_;
  std::array<ErrorSums, 3> errors_;  // both, with_true_level, with_true_fraction
};

HeadCheck::Sums::Sums(const CodecOptions& codec) : codec_(codec) {
  if (codec_.integer_channels() == 1) {
    throw Error({.subject = "model.params.codec",
                 .expected = "a codec with levels",
                 .got = std::string(enum_name(codec.codec)),
                 .fix = ""});
  }
  const auto levels = static_cast<size_t>(codec.n_integer_levels);
  report_.level_counts.resize(levels);
  report_.level_distances.resize(levels);
  report_.fraction_counts.resize(kFractionIntervals);
  for (size_t i = 0; i < report_.places.size(); ++i) {
    const double width = 1.0 / static_cast<double>(report_.places.size());
    report_.places[i].from = static_cast<double>(i) * width;
    report_.places[i].to = static_cast<double>(i + 1) * width;
  }
}

void HeadCheck::Sums::add(const Prediction& prediction, const cv::Mat& truth,
                          const cv::Mat& valid_mask) {
  if (prediction.level.empty() || prediction.fraction.empty()) {
    throw Error({.subject = "model",
                 .expected = "level and fraction beside depth",
                 .got = "depth alone",
                 .fix = "export it with both heads as outputs"});
  }
  add_heads(prediction);
  const SparseDepth sparse =
      scatter_depth(truth, valid_mask, prediction.region, prediction.depth.size());
  const auto size = static_cast<int64_t>(sparse.pixels.size());
  if (size == 0) return;
  auto pixels = torch::tensor(sparse.pixels, torch::kInt64);
  auto depths = torch::tensor(sparse.depths);
  const auto in_range = codec_.in_range(depths);
  pixels = pixels.index({in_range});
  depths = depths.index({in_range});
  if (depths.numel() == 0) return;
  add_errors(levels_of(prediction.level).flatten().index({pixels}),
             floats_of(prediction.fraction).flatten().index({pixels}), depths);
}

void HeadCheck::Sums::add_heads(const Prediction& prediction) {
  const auto level = levels_of(prediction.level);
  const auto fraction = floats_of(prediction.fraction);
  count(report_.level_counts, level);
  count(report_.fraction_counts,
        (fraction * kFractionIntervals).to(torch::kInt64).clamp(0, kFractionIntervals - 1));
  const auto difference = (codec_.decode(level, fraction) - floats_of(prediction.depth)).abs();
  report_.worst_difference = std::max(report_.worst_difference, difference.max().item<double>());
  ++report_.pictures;
  report_.pixels += static_cast<size_t>(level.numel());
}

void HeadCheck::Sums::add_errors(const torch::Tensor& level, const torch::Tensor& fraction,
                                 const torch::Tensor& truth) {
  const CodecTargets targets = codec_.encode(truth);
  const auto distance = (level - targets.level).abs();
  count(report_.level_distances, distance);
  const auto both = (codec_.decode(level, fraction) - truth).abs();
  const std::array differences = {both, (codec_.decode(targets.level, fraction) - truth).abs(),
                                  (codec_.decode(level, targets.fraction) - truth).abs()};
  for (size_t i = 0; i < differences.size(); ++i) {
    errors_[i].absolute += differences[i].sum(torch::kFloat64).item<double>();
    errors_[i].relative += (differences[i] / truth).sum(torch::kFloat64).item<double>();
  }
  report_.truth_pixels += static_cast<size_t>(truth.numel());

  // A level's centre lies in its middle.
  const auto centre = codec_.level_positions().index({targets.level});
  const auto place = targets.position - centre + 0.5;
  const auto places = static_cast<int64_t>(report_.places.size());
  const auto bin = (place * places).floor().to(torch::kInt64).clamp(0, places - 1);
  for (int64_t i = 0; i < places; ++i) {
    const auto here = bin == i;
    LevelPlace& sums = report_.places[static_cast<size_t>(i)];
    sums.pixels += static_cast<size_t>(here.sum().item<int64_t>());
    sums.right += (here & (distance == 0)).sum().item<double>();
    sums.off_by_one += (here & (distance == 1)).sum().item<double>();
    sums.mae += both.index({here}).sum(torch::kFloat64).item<double>();
  }
}

HeadReport HeadCheck::Sums::report() const {
  HeadReport report = report_;
  if (report.truth_pixels > 0) {
    const auto n = static_cast<double>(report.truth_pixels);
    HeadError* const errors[] = {&report.both, &report.with_true_level, &report.with_true_fraction};
    for (size_t i = 0; i < errors_.size(); ++i) {
      *errors[i] = {errors_[i].relative / n, errors_[i].absolute / n};
    }
  }
  for (LevelPlace& place : report.places) {
    if (place.pixels == 0) continue;
    const auto n = static_cast<double>(place.pixels);
    place.right /= n;
    place.off_by_one /= n;
    place.mae /= n;
  }
  return report;
}

HeadCheck::HeadCheck(const CodecOptions& codec) : sums_(std::make_unique<Sums>(codec)) {}

HeadCheck::~HeadCheck() = default;

void HeadCheck::add(const Prediction& prediction, const cv::Mat& truth, const cv::Mat& valid_mask) {
  sums_->add(prediction, truth, valid_mask);
}

HeadReport HeadCheck::report() const { return sums_->report(); }

}  // namespace dualdepth
