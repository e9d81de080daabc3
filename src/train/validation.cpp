#include "dualdepth/train/validation.h"

#include <opencv2/imgproc.hpp>

#include "dualdepth/io/image.h"
#include "dualdepth/runtime/evaluation.h"
#include "dualdepth/runtime/network_predictor.h"

namespace dualdepth {
namespace {

constexpr int kPanelWidth = 640;  // px

// Predicts as `predictor` does and counts the levels it says.
class LevelCounter : public Predictor {
 public:
  LevelCounter(Predictor& predictor, int64_t levels)
      : predictor_(predictor), counts_(static_cast<size_t>(levels), 0) {}

  Prediction predict(const cv::Mat& rgb) override {
    Prediction prediction = predictor_.predict(rgb);
    for (int y = 0; y < prediction.level.rows; ++y) {
      const auto* row = prediction.level.ptr<uint16_t>(y);
      for (int x = 0; x < prediction.level.cols; ++x) ++counts_.at(row[x]);
    }
    seen_ = seen_ || !prediction.level.empty();
    return prediction;
  }

  const Contract& contract() const override { return predictor_.contract(); }

  std::vector<int64_t> counts() const { return seen_ ? counts_ : std::vector<int64_t>(); }

 private:
  Predictor& predictor_;
  std::vector<int64_t> counts_;
  bool seen_ = false;
};

// Nearest, because depth must not be mixed across edges and sparse depth not with nothing.
cv::Mat at_width(const cv::Mat& picture, int interpolation) {
  const double scale = static_cast<double>(kPanelWidth) / picture.cols;
  cv::Mat resized;
  cv::resize(picture, resized, {kPanelWidth, cvRound(picture.rows * scale)}, 0, 0, interpolation);
  return resized;
}

Panel panel_of(const Sample& sample, const cv::Mat& depth, const CodecOptions& codec) {
  const auto colours = [&](const cv::Mat& metres) {
    return colorize_depth(at_width(metres, cv::INTER_NEAREST), codec.max_depth);
  };
  Panel panel{.sample_id = sample.id, .rgb = {}};
  cv::vconcat(std::vector<cv::Mat>{at_width(sample.rgb, cv::INTER_AREA), colours(sample.depth),
                                   colours(depth)},
              panel.rgb);
  return panel;
}

}  // namespace

Validation::Validation(const RunConfig& config, c10::Device device)
    : config_(config), device_(device) {
  const Protocol& protocol = find_protocol(config.evaluation.protocol);
  lower_is_better(config.trainer.monitor);
  dataset_ = open_dataset(with_ground_truth_of(protocol, config.data), SplitRole::kValidation);
}

ValidationResult Validation::run(DepthNet& net) const {
  ValidationResult result;
  NetworkPredictor predictor(net, config_.data, device_);
  LevelCounter counter(predictor, config_.model.params.codec.n_integer_levels);
  const auto keep_panel = [&](size_t index, const Sample& sample, const cv::Mat& depth) {
    if (static_cast<int64_t>(index) >= config_.trainer.panels) return;
    result.panels.push_back(panel_of(sample, depth, config_.model.params.codec));
  };
  result.evaluation = evaluate(counter, *dataset_, config_.evaluation, keep_panel);
  result.level_counts = counter.counts();
  net->train();
  return result;
}

double metric_named(const DepthMetrics& metrics, std::string_view name) {
  double value = 0;
  DepthMetrics::visit_fields([&](std::string_view field, double DepthMetrics::*member) {
    if (field == name) value = metrics.*member;
  });
  return value;
}

}  // namespace dualdepth
