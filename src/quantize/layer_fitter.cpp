#include "layer_fitter.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "dualdepth/base/random.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/quantize/adaptive_rounding.h"
#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

using graph::Conv;

constexpr int kBiasRounds = 4;
constexpr int64_t kBiasRows = 2048;  // means behind a Relu or Clip are taken over
constexpr double kLeastAlive = 0.02;
constexpr double kScaleShares[] = {0.85, 1.2};  // of the scale, tried in adaptive rounding

// Outputs, expected ones, and how their error is measured.
class LayerError {
 public:
  explicit LayerError(const LayerSamples& samples)
      : samples_(samples),
        held_inputs_(samples.held_inputs()),
        held_expected_(passed_on(samples.held_targets())),
        held_variance_(std::max(held_expected_.var(/*unbiased=*/false).item<double>(), 1e-20)),
        bias_inputs_(samples.fitted_inputs().slice(0, 0, kBiasRows)),
        bias_expected_(passed_on(samples.fitted_targets().slice(0, 0, kBiasRows))) {
    if (samples.clamp) return;
    mean_input_ = samples.fitted_inputs().mean(0);
    mean_target_ = samples.fitted_targets().mean(0);
  }

  // The outputs without a bias on the rows that are held out.
  torch::Tensor held_products(const torch::Tensor& weight) const {
    return held_inputs_.matmul(filter_rows(weight).t());
  }

  // Relative mean square error of held_products() and a bias.
  double operator()(const torch::Tensor& products, const torch::Tensor& bias) const {
    const auto computed = passed_on(products + bias);
    return (computed - held_expected_).square().mean().item<double>() / held_variance_;
  }

  // The bias plus the mean of what is missing behind the Relu or Clip.
  torch::Tensor corrected_bias(const torch::Tensor& weight, const torch::Tensor& bias) const {
    const auto filters = filter_rows(weight);
    const auto& clamp = samples_.clamp;
    if (!clamp) return mean_target_ - filters.mv(mean_input_);
    const auto raw = torch::addmm(bias, bias_inputs_, filters.t());
    auto shift = torch::zeros_like(bias);
    for (int round = 0; round < kBiasRounds; ++round) {
      const auto computed = passed_on(raw + shift);
      const auto alive =
          is_inside(computed, *clamp).to(torch::kFloat32).mean(0).clamp_min(kLeastAlive);
      shift += (bias_expected_ - computed).mean(0) / alive;
    }
    return bias + shift;
  }

 private:
  torch::Tensor passed_on(const torch::Tensor& values) const {
    return samples_.clamp ? values.clamp(samples_.clamp->low, samples_.clamp->high) : values;
  }

  static torch::Tensor is_inside(const torch::Tensor& values, const graph::Clip& clamp) {
    return values.gt(clamp.low).logical_and_(values.lt(clamp.high));
  }

  const LayerSamples& samples_;
  torch::Tensor held_inputs_, held_expected_;
  double held_variance_;
  torch::Tensor bias_inputs_, bias_expected_;
  torch::Tensor mean_input_, mean_target_;  // without a Relu or Clip
};

// Tries filters and biases for one layer and keeps those with the least error.
class LayerFitter {
 public:
  LayerFitter(const Conv& nearest, torch::Tensor float_weight, const BiasGrid& bias,
              const LayerwiseOptions& options, const LayerSamples& samples, LayerFit& report)
      : nearest_(nearest),
        best_(nearest),
        float_weight_(std::move(float_weight)),
        bias_(bias),
        options_(options),
        samples_(samples),
        error_(samples),
        report_(report) {}

  Conv fit() {
    report_.error_before = least_ = error_(error_.held_products(best_.weight), best_.bias);
    try_filters(nearest_, /*rounded=*/false);
    if (options_.round_adaptively && !is_wide()) round_adaptively();
    report_.error_after = least_;
    return best_;
  }

 private:
  // Of 16 bits the nearest codes are as good as any.
  bool is_wide() const {
    return graph::has_wide_codes(graph::filter_codes(graph::filters_of(nearest_)));
  }

  // From the float filters and from refitted ones, then in other scales from the better of them.
  void round_adaptively() {
    const AdaptiveRounding rounding(samples_.fitted_inputs());
    const auto rows = filter_rows(float_weight_);
    const auto moved = rounding.refit(rows, samples_.fitted_targets());
    const double in_place = try_rounded(rounding, rows, 1);
    const double refitted = try_rounded(rounding, moved, 1);
    for (const double share : kScaleShares) {
      try_rounded(rounding, refitted < in_place ? moved : rows, share);
    }
  }

  // Returns the error.
  double try_rounded(const AdaptiveRounding& rounding, const torch::Tensor& rows, double share) {
    Conv conv = nearest_;
    conv.weight_scale = nearest_.weight_scale * share;
    if (bias_.input_scale) {
      conv.weight_scale = scale_for_bias(conv.weight_scale, nearest_.bias, *bias_.input_scale);
    }
    conv.weight = rounding.round(rows, conv.weight_scale).view(float_weight_.sizes());
    return try_filters(std::move(conv), /*rounded=*/true);
  }

  // The filters of `conv` with its own bias and with a corrected one. Returns the lesser error.
  double try_filters(Conv conv, bool rounded) {
    const auto products = error_.held_products(conv.weight);
    const auto consider = [&](bool corrected) {
      const bool in_codes = bias_.format == BiasFormat::kInt32;
      auto gridded = std::get<Conv>(
          graph::with_filters(conv, on_grid(conv.weight, conv.bias, conv.weight_scale,
                                            in_codes ? bias_.input_scale : std::nullopt)));
      const double error = error_(products, gridded.bias);
      if (!(error < least_)) return error;
      least_ = error;
      best_ = std::move(gridded);
      report_.rounded = rounded;
      report_.bias_corrected = corrected;
      return error;
    };
    const double own = consider(/*corrected=*/false);
    if (!options_.correct_bias) return own;
    conv.bias = error_.corrected_bias(conv.weight, conv.bias);
    return std::min(own, consider(/*corrected=*/true));
  }

  Conv nearest_, best_;
  torch::Tensor float_weight_;
  BiasGrid bias_;
  const LayerwiseOptions& options_;
  const LayerSamples& samples_;
  LayerError error_;
  LayerFit& report_;
  double least_ = 0;
};

}  // namespace

torch::Tensor draw_positions(const graph::Shape& shape, int64_t count, uint64_t seed,
                             graph::NodeId layer, size_t picture) {
  RandomStream random({seed, layer, picture});
  const int64_t pixels = shape[2] * shape[3];
  std::vector<int64_t> all(static_cast<size_t>(pixels));
  std::iota(all.begin(), all.end(), 0);
  auto positions = torch::empty({std::min(count, pixels)}, torch::kInt64);
  auto* out = positions.mutable_data_ptr<int64_t>();
  for (size_t i = 0; i < static_cast<size_t>(positions.numel()); ++i) {
    std::swap(all[i], all[i + random.below(all.size() - i)]);
    out[i] = all[i];
  }
  return positions;
}

torch::Tensor input_patches(const Conv& conv, const torch::Tensor& in, int64_t out_width,
                            const torch::Tensor& positions) {
  const auto [up, left] = conv.padding;
  const auto padded = torch::constant_pad_nd(in, {left, left, up, up})[0].permute({1, 2, 0});
  const int64_t width = padded.size(1);
  const auto rows = padded.contiguous().view({-1, padded.size(2)});
  const auto y = positions.floor_divide(out_width) * conv.stride[0];
  const auto x = positions.remainder(out_width) * conv.stride[1];
  std::vector<torch::Tensor> taps;
  for (int64_t i = 0; i < conv.weight.size(2); ++i) {
    for (int64_t j = 0; j < conv.weight.size(3); ++j) {
      const auto row = (y + i * conv.dilation[0]) * width + x + j * conv.dilation[1];
      taps.push_back(rows.index_select(0, row));
    }
  }
  return torch::stack(taps, 2).flatten(1);
}

torch::Tensor filter_rows(const torch::Tensor& weight) { return weight.flatten(1).contiguous(); }

Conv fit_layer(const Conv& nearest, const torch::Tensor& float_weight, const BiasGrid& bias,
               const LayerwiseOptions& options, const LayerSamples& samples, LayerFit& report) {
  return LayerFitter(nearest, float_weight, bias, options, samples, report).fit();
}

}  // namespace dualdepth::quantize
