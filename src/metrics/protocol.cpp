#include "dualdepth/metrics/protocol.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "dualdepth/base/error.h"
#include "dualdepth/base/nearest_name.h"

namespace dualdepth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kBenchmarkHeight = 352;
constexpr int kBenchmarkWidth = 1216;

Protocol eigen_crop(std::string name, double cap) {
  Protocol protocol;
  protocol.name = std::move(name);
  protocol.crop = CropKind::kEigen;
  protocol.max_depth = protocol.max_prediction = cap;
  protocol.source = "Eigen, Puhrsch, Fergus 2014";
  return protocol;
}

std::vector<Protocol> make_protocols() {
  Protocol garg;
  garg.name = "eigen-garg";
  garg.ground_truth = GroundTruthKind::kVelodyne;
  garg.projection = ProjectionKind::kEigen;
  garg.crop = CropKind::kGarg;
  garg.source = "monodepth2";

  Protocol annotated;
  annotated.name = "eigen-annotated";
  annotated.ground_truth = GroundTruthKind::kAnnotated;
  annotated.crop = CropKind::kGarg;
  annotated.source = "BTS";

  Protocol kb_garg = annotated;
  kb_garg.name = "eigen-kb-garg";
  kb_garg.crop = CropKind::kKbThenGarg;
  kb_garg.source = "AdaBins, Monocular-Depth-Estimation-Toolbox";

  Protocol benchmark;
  benchmark.name = "benchmark";
  benchmark.ground_truth = GroundTruthKind::kAnnotated;
  benchmark.min_depth = 0;
  benchmark.max_depth = kInfinity;
  benchmark.min_prediction = 1.0 / 256;
  benchmark.max_prediction = 65535.0 / 256;
  benchmark.source = "KITTI's depth development kit";

  Protocol ncdb;
  ncdb.name = "ncdb";
  ncdb.min_depth = ncdb.min_prediction = 0.5;
  ncdb.max_depth = ncdb.max_prediction = 15;
  ncdb.source = "NCDB's near-field evaluation";

  std::vector<Protocol> road{
      garg,     annotated, kb_garg, eigen_crop("eigen-crop", 80), eigen_crop("eigen-crop-50", 50),
      benchmark};
  for (Protocol& protocol : road) {
    protocol.bins = {{0, 10}, {10, 20}, {20, 40}, {40, 80}};
    if (protocol.max_depth > 80) protocol.bins.push_back({80, protocol.max_prediction});
  }
  ncdb.bins = {{0.5, 1}, {1, 3}, {3, 5}, {5, 15}};
  road.push_back(std::move(ncdb));
  return road;
}

// Half-open shares of rows and columns.
struct CropShares {
  double top, bottom, left, right;
};

constexpr CropShares kGargShares{0.40810811, 0.99189189, 0.03594771, 0.96405229};
constexpr CropShares kEigenShares{0.3324324, 0.91351351, 0.0359477, 0.96405229};

cv::Rect rectangle_of(const CropShares& shares, cv::Size size) {
  return {cv::Point(static_cast<int>(shares.left * size.width),
                    static_cast<int>(shares.top * size.height)),
          cv::Point(static_cast<int>(shares.right * size.width),
                    static_cast<int>(shares.bottom * size.height))};
}

// As NumPy's: the mean of the two middle values of an even number.
double median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (static_cast<double>(*middle) + *std::max_element(values.begin(), middle)) / 2;
}

void scale_to_median(PixelPairs& pairs) {
  const double predicted = median(pairs.prediction);
  if (!(predicted > 0)) return;  // nothing that a factor could mend
  pairs.scale = median(pairs.truth) / predicted;
  for (float& p : pairs.prediction) p = static_cast<float>(p * pairs.scale);
}

}  // namespace

std::string RangeBin::name() const { return fmt::format("{:g}-{:g}", low, high); }

Protocol with_range(Protocol protocol, const std::vector<double>& range) {
  if (range.empty()) return protocol;
  const bool valid = range.size() == 2 && range[0] >= 0 && range[0] < range[1];
  if (!valid || protocol.name != "ncdb") {
    throw Error({.subject = "evaluation.range",
                 .expected = valid ? "the protocol ncdb, which alone has a range to choose"
                                   : "two depths in metres, the nearer first, such as 0.1-15",
                 .got = valid ? protocol.name : fmt::format("{}", fmt::join(range, "-")),
                 .fix = ""});
  }
  if (range[0] < protocol.bins.front().low) {
    protocol.bins.insert(protocol.bins.begin(), {range[0], protocol.bins.front().low});
  }
  if (range[1] > protocol.bins.back().high) {
    protocol.bins.push_back({protocol.bins.back().high, range[1]});
  }
  protocol.min_depth = protocol.min_prediction = range[0];
  protocol.max_depth = protocol.max_prediction = range[1];
  return protocol;
}

const std::vector<Protocol>& all_protocols() {
  static const std::vector<Protocol> protocols = make_protocols();
  return protocols;
}

const Protocol& find_protocol(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Protocol& protocol : all_protocols()) {
    if (protocol.name == name) return protocol;
    known.push_back(protocol.name);
  }
  throw Error({.subject = "protocol",
               .expected = "a named protocol",
               .got = std::string(name),
               .fix = suggest_name(name, known)});
}

cv::Rect crop_rectangle(CropKind crop, cv::Size size) {
  switch (crop) {
    case CropKind::kNone:
      break;
    case CropKind::kGarg:
      return rectangle_of(kGargShares, size);
    case CropKind::kEigen:
      return rectangle_of(kEigenShares, size);
    case CropKind::kKbThenGarg: {
      if (size.width < kBenchmarkWidth || size.height < kBenchmarkHeight) {
        throw Error({.subject = "KB crop",
                     .expected = "a picture of at least 1216x352",
                     .got = fmt::format("{}x{}", size.width, size.height),
                     .fix = "take a protocol without it, such as eigen-annotated"});
      }
      const cv::Point corner((size.width - kBenchmarkWidth) / 2, size.height - kBenchmarkHeight);
      return rectangle_of(kGargShares, {kBenchmarkWidth, kBenchmarkHeight}) + corner;
    }
  }
  return {cv::Point(0, 0), size};
}

PixelPairs select_pixels(const Protocol& protocol, const cv::Mat& prediction, const cv::Mat& truth,
                         const cv::Mat& valid_mask, ScalingKind scaling) {
  assert(prediction.type() == CV_32FC1 && truth.type() == CV_32FC1);
  if (!valid_mask.empty() && valid_mask.size() != truth.size()) {
    throw Error({.subject = "valid mask",
                 .expected = fmt::format("{}x{}, the depth's size", truth.cols, truth.rows),
                 .got = fmt::format("{}x{}", valid_mask.cols, valid_mask.rows),
                 .fix = ""});
  }
  cv::Mat resized = prediction;
  if (prediction.size() != truth.size()) {
    cv::resize(prediction, resized, truth.size(), 0, 0, cv::INTER_LINEAR);
  }
  const cv::Rect crop = crop_rectangle(protocol.crop, truth.size());
  const auto min_depth = static_cast<float>(protocol.min_depth);
  const auto max_depth = static_cast<float>(protocol.max_depth);
  const auto nearest = static_cast<float>(protocol.min_prediction);
  const auto farthest = static_cast<float>(protocol.max_prediction);
  PixelPairs pairs;
  for (int y = crop.y; y < crop.y + crop.height; ++y) {
    for (int x = crop.x; x < crop.x + crop.width; ++x) {
      const float g = truth.at<float>(y, x);
      if (!(g > min_depth && g < max_depth)) continue;
      if (!valid_mask.empty() && valid_mask.at<uint8_t>(y, x) == 0) continue;
      const float p = resized.at<float>(y, x);
      if (!std::isfinite(p)) ++pairs.non_finite;
      pairs.prediction.push_back(std::isfinite(p) ? p : nearest);
      pairs.truth.push_back(g);
      pairs.positions.push_back(y * truth.cols + x);
    }
  }
  if (scaling == ScalingKind::kMedian && !pairs.truth.empty()) scale_to_median(pairs);
  for (float& p : pairs.prediction) p = std::clamp(p, nearest, farthest);
  return pairs;
}

}  // namespace dualdepth
