#include "dualdepth/quantize/mixed_precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "dualdepth/base/error.h"
#include "dualdepth/quantize/choose_plan.h"
#include "dualdepth/quantize/diagnosis.h"

namespace dualdepth::quantize {
namespace {

class MixedQuantizer {
 public:
  MixedQuantizer(const graph::Graph& graph, const Contract& contract, const Pictures& pictures,
                 const QuantizeOptions& options, const MixedPrecision& mixed)
      : graph_(graph),
        contract_(contract),
        pictures_(pictures),
        options_(options),
        mixed_(mixed),
        choice_(choose_plan(graph, contract, pictures, options)) {}

  MixedQuantization run() {
    if (mixed_.keep == 0 && mixed_.budget == 0) return full({});
    if (mixed_.budget == 0) return full({.kept = first(by_sensitivity(), mixed_.keep)});
    MixedQuantization found = full({});
    return keeps_budget(found) ? std::move(found) : search(by_sensitivity());
  }

 private:
  static std::vector<std::string> first(const std::vector<std::string>& order, size_t count) {
    return {order.begin(), order.begin() + static_cast<ptrdiff_t>(std::min(count, order.size()))};
  }

  double ratio_of(const Quantization& quantization) {
    if (!float_error_) float_error_ = mixed_.error(graph_);
    const double error = mixed_.error(quantization.graph);
    if (*float_error_ == 0 && error == 0) return 1;
    return mixed_.better == Better::kLower ? error / *float_error_ : *float_error_ / error;
  }

  // More convolutions than the chosen plan has.
  struct More {
    std::vector<std::string> kept = {};  // in float
    std::vector<std::string> wide = {};  // of 16 bits
  };

  Plan plan_with(const More& more) const {
    if (more.kept.empty() && more.wide.empty()) return choice_.plan;
    ScaleOptions scales = choice_.scales;
    scales.wide = more.wide;
    return with_scales(with_float(choice_.plan, more.kept), graph_, choice_.statistics, scales);
  }

  MixedQuantization full(More more) {
    MixedQuantization result{
        quantize_graph(graph_, plan_with(more), contract_, pictures_, options_),
        std::move(more.kept), std::move(more.wide)};
    auto& stages = result.quantization.stages;
    stages.insert(stages.begin(), choice_.stages.begin(), choice_.stages.end());
    if (mixed_.budget > 0) result.ratio = ratio_of(result.quantization);
    return result;
  }

  // With filters rounded to nearest: the order hardly depends on how they are rounded.
  std::vector<std::string> by_sensitivity() const {
    QuantizeOptions quick = options_;
    quick.correct_bias = quick.round_adaptively = false;
    const auto calibrated = pictures_.spread(quick.judged_pictures);
    const auto quantization = quantize_graph(graph_, choice_.plan, contract_, calibrated, quick);
    const auto& judged = mixed_.judged ? *mixed_.judged : calibrated;
    const bool by_error = mixed_.sensitivity == Sensitivity::kError;
    auto layers = diagnose(quantization, contract_, judged, by_error ? mixed_.error : ErrorOf());
    if (by_error) sort_by_error(layers, mixed_.better);
    std::vector<std::string> order;
    for (const auto& layer : layers) {
      if (!layer.convolution.empty()) order.push_back(layer.convolution);
    }
    return order;
  }

  bool keeps_budget(const MixedQuantization& found) const { return found.ratio <= mixed_.budget; }

  bool has_16_bits() const {
    const Target& target = choice_.plan.target;
    const auto has = [](const std::vector<int64_t>& bits) {
      return std::ranges::count(bits, 16) > 0;
    };
    return has(target.value_bits(graph::Conv())) || has(target.value_bits(graph::Relu())) ||
           has(target.weight_bits(graph::Conv()));
  }

  // Measure number `count`: so many convolutions of 16 bits, and once all have them, the most
  // sensitive in float.
  More measure(const std::vector<std::string>& order, size_t count) const {
    if (!has_16_bits()) return {.kept = first(order, count)};
    if (count <= order.size()) return {.wide = first(order, count)};
    const auto floats = static_cast<ptrdiff_t>(count - order.size());
    return {.kept = {order.begin(), order.begin() + floats},
            .wide = {order.begin() + floats, order.end()}};
  }

  // The smallest number that keeps the budget: doubled until one does, then halved between.
  MixedQuantization search(const std::vector<std::string>& order) {
    const size_t all = has_16_bits() ? 2 * order.size() : order.size();
    size_t too_few = 0;
    size_t enough = std::min<size_t>(1, all);
    MixedQuantization found = full(measure(order, enough));
    while (!keeps_budget(found)) {
      if (enough == all) throw beyond_reach(found.ratio);
      too_few = enough;
      enough = std::min(2 * enough, all);
      found = full(measure(order, enough));
    }
    while (enough - too_few > 1) {
      const size_t middle = (enough + too_few) / 2;
      MixedQuantization tried = full(measure(order, middle));
      if (!keeps_budget(tried)) {
        too_few = middle;
        continue;
      }
      enough = middle;
      found = std::move(tried);
    }
    return found;
  }

  Error beyond_reach(double ratio) const {
    return Error({.subject = "budget",
                  .expected = fmt::format("an error at most {} times float's", mixed_.budget),
                  .got = fmt::format("{:.3f} times with every convolution in float{}", ratio,
                                     has_16_bits() ? " and values of 16 bits" : ""),
                  .fix = "raise the budget"});
  }

  const graph::Graph& graph_;
  const Contract& contract_;
  const Pictures& pictures_;
  const QuantizeOptions& options_;
  const MixedPrecision& mixed_;
  PlanChoice choice_;
  std::optional<double> float_error_;  // once it is measured
};

}  // namespace

MixedQuantization quantize_mixed(const graph::Graph& graph, const Contract& contract,
                                 const Pictures& pictures, const QuantizeOptions& options,
                                 const MixedPrecision& mixed) {
  const torch::NoGradGuard no_grad;
  return MixedQuantizer(graph, contract, pictures, options, mixed).run();
}

}  // namespace dualdepth::quantize
