#include "dualdepth/runtime/exported_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/hilbert_curve.h"
#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/level_distribution.h"
#include "dualdepth/codec/plain_depth.h"

namespace dualdepth {
namespace {

[[noreturn]] void fail(const std::string& name, const std::string& expected,
                       const std::string& got) {
  throw Error({.subject = "model, output " + name,
               .expected = expected,
               .got = got,
               .fix = "correct the outputs of its contract"});
}

const torch::Tensor& find(const NamedTensors& outputs, const OutputContract& output) {
  const auto found = outputs.find(output.name);
  if (found == outputs.end()) fail(output.name, "an output of this name", "none");
  return found->second;
}

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

// [N, h, w] of [N, 1, h, w], [N, h, w, 1] or [N, h, w].
torch::Tensor map_of(const NamedTensors& outputs, const OutputContract& output) {
  const torch::Tensor& tensor = find(outputs, output);
  if (tensor.dim() == 3) return tensor;
  if (tensor.dim() == 4 && tensor.size(1) == 1) return tensor.squeeze(1);
  if (tensor.dim() == 4 && tensor.size(3) == 1) return tensor.squeeze(3);
  fail(output.name, "one channel, [N, 1, h, w] or [N, h, w]", shape_text(tensor));
}

torch::Tensor scaled(const torch::Tensor& values, const OutputContract& output) {
  auto result = values.to(torch::kFloat32);
  if (output.scale != 1) result = result * output.scale;
  if (output.shift != 0) result = result + output.shift;
  return result;
}

torch::Tensor scaled_map(const NamedTensors& outputs, const OutputContract& output) {
  return scaled(map_of(outputs, output), output);
}

// Float [N, C, h, w] of several channels, with C from `least` to `most`; [N, h, w] is one channel.
torch::Tensor channels_of(const NamedTensors& outputs, const OutputContract& output,
                          TensorLayout layout, int64_t least, int64_t most) {
  auto values = scaled(find(outputs, output), output);
  const auto got = shape_text(values);
  if (values.dim() == 3) {
    values = values.unsqueeze(1);
  } else if (values.dim() == 4 && layout == TensorLayout::kNhwc) {
    values = values.permute({0, 3, 1, 2});
  }
  if (values.dim() != 4 || values.size(1) < least || values.size(1) > most) {
    const auto count =
        least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
    fail(output.name, count + " channels, [N, C, h, w]", got);
  }
  return values;
}

// [N, K, h, w], of one channel for codec `continuous`.
torch::Tensor logits_of(const NamedTensors& outputs, const Contract& contract,
                        const DepthCodec& codec) {
  const OutputContract& output = *contract.output(OutputKind::kLogits);
  auto logits = find(outputs, output).to(torch::kFloat32);
  if (contract.input.layout == TensorLayout::kNhwc && logits.dim() == 4) {
    logits = logits.permute({0, 3, 1, 2});
  }
  if (logits.dim() != 4 || logits.size(1) != codec.integer_channels()) {
    fail(output.name, fmt::format("{} logits a pixel, one a level", codec.integer_channels()),
         shape_text(logits));
  }
  return logits;
}

// Int64; of codec `continuous` float.
torch::Tensor level_of(const NamedTensors& outputs, const Contract& contract,
                       const DepthCodec& codec) {
  const auto* level = contract.output(OutputKind::kLevel);
  if (level == nullptr) return codec.choose_level(logits_of(outputs, contract, codec));
  const auto map = map_of(outputs, *level);
  if (codec.integer_channels() == 1) return map.to(torch::kFloat32);
  const auto whole = map.to(torch::kInt64);
  const auto [least, greatest] = whole.aminmax();
  const int64_t levels = contract.codec.n_integer_levels;
  if (whole.numel() > 0 && (least.item<int64_t>() < 0 || greatest.item<int64_t>() >= levels)) {
    fail(level->name, fmt::format("levels 0 to {}", levels - 1),
         fmt::format("{} to {}", least.item<int64_t>(), greatest.item<int64_t>()));
  }
  return whole;
}

// Metres of the outputs of which depth follows without a level; undefined without one.
torch::Tensor own_depth(const NamedTensors& outputs, const Contract& contract) {
  if (const auto* depth = contract.output(OutputKind::kDepth)) return scaled_map(outputs, *depth);
  if (const auto* inverse = contract.output(OutputKind::kInverseDepth)) {
    const double farthest = contract.codec.max_depth;
    const auto value = scaled_map(outputs, *inverse).clamp_min(1 / farthest);
    return value.reciprocal().clamp(contract.codec.min_depth, farthest);
  }
  if (const auto* logit = contract.output(OutputKind::kDepthLogit)) {
    return plain_depth(map_of(outputs, *logit).to(torch::kFloat32), contract.codec);
  }
  const TensorLayout layout = contract.input.layout;
  if (const auto* position = contract.output(OutputKind::kPosition)) {
    const auto groups = channels_of(outputs, *position, layout, 1, contract.codec.n_integer_levels);
    return position_to_depth(groups.sum(1), contract.codec);
  }
  if (const auto* coordinates = contract.output(OutputKind::kCoordinates)) {
    const auto pair = channels_of(outputs, *coordinates, layout, 2, 2);
    return hilbert_depth(pair.permute({0, 2, 3, 1}), contract.codec);
  }
  return {};
}

// [N, h, w] in 0..1, of levels of this shape; undefined without a fraction.
torch::Tensor fraction_of(const NamedTensors& outputs, const Contract& contract,
                          torch::IntArrayRef shape) {
  const auto* output = contract.output(OutputKind::kFraction);
  if (output == nullptr) return {};
  const auto fraction = scaled_map(outputs, *output);
  if (fraction.sizes() != shape) {
    fail(output->name, fmt::format("the size of the levels, [{}]", fmt::join(shape, ", ")),
         shape_text(fraction));
  }
  return fraction;
}

// Metres of logits whose expectation counts. Without a fraction levels stand for their centres.
torch::Tensor mean_depth(const NamedTensors& outputs, const Contract& contract,
                         const DepthCodec& codec) {
  const auto logits = logits_of(outputs, contract, codec);
  const std::vector<int64_t> shape{logits.size(0), logits.size(2), logits.size(3)};
  auto fraction = fraction_of(outputs, contract, shape);
  if (!fraction.defined()) fraction = torch::full(shape, 0.5F, logits.options());
  return expected_depth(logits, fraction, contract.codec, 1);
}

torch::Tensor composed_depth(const torch::Tensor& level, const torch::Tensor& fraction,
                             const DepthCodec& codec) {
  if (fraction.defined()) return codec.decode(level, fraction);
  const bool whole = codec.integer_channels() > 1;
  if (!whole) return codec.decode(level, torch::zeros_like(level));
  return codec.level_depths().to(level.device()).index({level});
}

}  // namespace

OpenVinoOptions openvino_options(const RuntimeOptions& options) {
  const bool bfloat16 = options.runtime == RuntimeKind::kOpenVinoBFloat16;
  OpenVinoOptions own{.precision = bfloat16 ? Precision::kBFloat16 : Precision::kFloat32,
                      .threads = options.threads,
                      .as_written = options.as_written};
  if (!options.card.empty()) own.contract = read_contract(options.card);
  return own;
}

DensePrediction to_prediction(const NamedTensors& outputs, const Contract& contract) {
  DensePrediction prediction{own_depth(outputs, contract), {}, {}};
  if (!contract.has_levels()) return prediction;
  const DepthCodec codec(contract.codec);
  if (contract.decodes_expectation()) {
    if (!prediction.depth.defined()) prediction.depth = mean_depth(outputs, contract, codec);
    return prediction;
  }
  const auto level = level_of(outputs, contract, codec);
  prediction.fraction = fraction_of(outputs, contract, level.sizes());
  if (!prediction.depth.defined()) {
    prediction.depth = composed_depth(level, prediction.fraction, codec);
  }
  if (codec.integer_channels() > 1) prediction.level = level;
  return prediction;
}

}  // namespace dualdepth
