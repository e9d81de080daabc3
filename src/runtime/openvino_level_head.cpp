#include "openvino_level_head.h"

#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <openvino/core/graph_util.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/op.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/topk.hpp>
#include <openvino/op/transpose.hpp>
#include <optional>
#include <vector>

#include "dualdepth/model/integer_level_head.h"
#include "dualdepth/model/level_head.h"
#include "openvino_convolution.h"

namespace dualdepth {
namespace {

// The heads of a map, by LevelHead of its values or IntegerLevelHead of their steps.
using HeadFunction = std::function<WinningHeads(const torch::Tensor& map, int threads)>;

struct HeadKernel {
  HeadFunction run;
  bool has_fraction = false;
};

// Input: float32 values or uint8 steps, [N, H, W, C], as OpenVINO's convolutions leave them.
// Outputs, [N, 1, H, W]: the winning level, and the fraction's logit where the kernel has it.
class LevelHeadOp : public ov::op::Op {
 public:
  OPENVINO_OP("LevelHead", "dualdepth");

  LevelHeadOp() = default;
  LevelHeadOp(const ov::OutputVector& inputs, HeadKernel kernel, ov::element::Type type,
              int threads)
      : Op(inputs), kernel_(std::move(kernel)), type_(type), threads_(threads) {
    constructor_validate_and_infer_types();
  }

  void validate_and_infer_types() override {
    const ov::PartialShape in = get_input_partial_shape(0);
    const ov::PartialShape out{in[0], 1, in[1], in[2]};
    set_output_type(0, type_, out);
    if (kernel_.has_fraction) set_output_type(1, ov::element::f32, out);
  }

  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override {
    return std::make_shared<LevelHeadOp>(inputs, kernel_, type_, threads_);
  }

  bool has_evaluate() const override { return true; }

  // Uses no thread of LibTorch's pool: they would go on spinning beside OpenVINO's.
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override {
    const ov::Shape in = inputs[0].get_shape();
    const auto map = inputs[0].get_element_type() == ov::element::u8
                         ? view(inputs[0].data<const uint8_t>(), in)
                         : view(inputs[0].data<const float>(), in);
    const auto heads = kernel_.run(map.permute({0, 3, 1, 2}), threads_);
    for (auto& output : outputs) output.set_shape({in[0], 1, in[1], in[2]});
    const auto* levels = heads.level.const_data_ptr<int64_t>();
    if (type_ == ov::element::i64) {
      std::copy_n(levels, heads.level.numel(), outputs[0].data<int64_t>());
    } else {
      std::copy_n(levels, heads.level.numel(), outputs[0].data<int32_t>());
    }
    if (kernel_.has_fraction) {
      std::copy_n(heads.fraction_logits.const_data_ptr<float>(), heads.level.numel(),
                  outputs[1].data<float>());
    }
    return true;
  }

 private:
  HeadKernel kernel_;
  ov::element::Type type_ = ov::element::i64;
  int threads_ = 1;
};

using Constant = ov::op::v0::Constant;

torch::Tensor floats_of(const Constant& constant) { return view(constant).flatten().clone(); }

// A 3x3 convolution with bias.
struct Head {
  ov::Output<ov::Node> feature, filters;  // what the convolution reads
  std::shared_ptr<Constant> weight, bias;
};

// What stands between the convolution and its ArgMax: a Relu that changes no winner, and in a
// quantized file the grid of the logits. Argmax reads the sums before it, where no two levels tie.
bool keeps_winners(const ov::Node& node) {
  return ov::is_type<ov::op::v0::Relu>(&node) || ov::is_type<ov::op::v0::FakeQuantize>(&node) ||
         ov::is_type<ov::op::v0::Convert>(&node) || ov::is_type<ov::op::v1::Subtract>(&node) ||
         ov::is_type<ov::op::v1::Multiply>(&node);
}

// A constant or what can be computed from constants: filters behind their DequantizeLinear.
std::shared_ptr<Constant> constant_of(const ov::Output<ov::Node>& value) {
  const auto node = value.get_node_shared_ptr();
  if (const auto constant = ov::as_type_ptr<Constant>(node)) return constant;
  if (node->get_input_size() == 0 || node->get_output_size() != 1 ||
      value.get_partial_shape().is_dynamic()) {
    return nullptr;
  }
  std::vector<std::shared_ptr<Constant>> owners;  // of what the views below show
  ov::TensorVector inputs;
  for (const auto& input : node->input_values()) {
    owners.push_back(constant_of(input));
    if (!owners.back()) return nullptr;
    inputs.push_back(owners.back()->get_tensor_view());
  }
  // Not constant_fold(): OpenVINO's reader forbids it for what it takes for a DequantizeLinear.
  ov::TensorVector outputs{ov::Tensor(value.get_element_type(), value.get_shape())};
  if (!node->evaluate(outputs, inputs)) return nullptr;
  return std::make_shared<Constant>(outputs.front());
}

std::optional<Head> find_head(const std::shared_ptr<ov::Node>& sum) {
  const auto add = ov::as_type_ptr<ov::op::v1::Add>(sum);
  if (!add) return std::nullopt;
  const auto conv =
      ov::as_type_ptr<ov::op::v1::Convolution>(add->input_value(0).get_node_shared_ptr());
  if (!conv) return std::nullopt;
  // Its shape [1, K, 1, 1] is computed from the convolution's: the values are all that is needed.
  auto biases = add->input_value(1);
  if (ov::is_type<ov::op::v1::Reshape>(biases.get_node())) {
    biases = biases.get_node()->input_value(0);
  }
  const auto bias = constant_of(biases);
  const auto weight = constant_of(conv->input_value(1));
  if (!bias || !weight) return std::nullopt;
  const bool fits = is_plain_3x3(*conv, *weight) && bias->get_element_type() == ov::element::f32 &&
                    ov::shape_size(bias->get_shape()) == weight->get_shape()[0];
  if (!fits) return std::nullopt;
  return Head{conv->input_value(0), conv->input_value(1), weight, bias};
}

// The head whose winners are asked for.
std::optional<Head> find_head_of(const ov::op::util::TopKBase& top) {
  auto source = top.input_value(0).get_node_shared_ptr();
  while (keeps_winners(*source)) source = source->input_value(0).get_node_shared_ptr();
  return find_head(source);
}

// A head of a single channel and the node that adds its bias.
struct FractionHead {
  Head head;
  std::shared_ptr<ov::Node> sum;
};

// The one that reads this map.
std::optional<FractionHead> find_fraction(const ov::Output<ov::Node>& feature) {
  for (const auto& reader : feature.get_target_inputs()) {
    for (const auto& next : reader.get_node()->output(0).get_target_inputs()) {
      const auto sum = next.get_node()->shared_from_this();
      const auto head = find_head(sum);
      if (head && head->feature == feature && head->weight->get_shape()[0] == 1) {
        return FractionHead{*head, sum};
      }
    }
  }
  return std::nullopt;
}

// DequantizeLinear as OpenVINO reads it: (x - zero_point) * scale, without the subtraction where
// the zero point is 0.
struct Dequantized {
  torch::Tensor scale, zero_point;  // float
  ov::Output<ov::Node> steps;
};

std::optional<Dequantized> find_dequantized(const ov::Output<ov::Node>& value) {
  const auto scaled = ov::as_type_ptr<ov::op::v1::Multiply>(value.get_node_shared_ptr());
  if (!scaled) return std::nullopt;
  const auto scale = constant_of(scaled->input_value(1));
  if (!scale || scale->get_element_type() != ov::element::f32) return std::nullopt;
  Dequantized found{.scale = floats_of(*scale), .zero_point = torch::zeros({1}), .steps = {}};
  auto steps = scaled->input_value(0);
  if (const auto shifted = ov::as_type_ptr<ov::op::v1::Subtract>(steps.get_node_shared_ptr())) {
    const auto zero = constant_of(shifted->input_value(1));
    if (!zero || zero->get_element_type() != ov::element::f32) return std::nullopt;
    found.zero_point = floats_of(*zero);
    steps = shifted->input_value(0);
  }
  const auto converted = ov::as_type_ptr<ov::op::v0::Convert>(steps.get_node_shared_ptr());
  if (!converted) return std::nullopt;
  found.steps = converted->input_value(0);
  return found;
}

bool fits_integer_head(const Dequantized& feature, const Dequantized& filters, int64_t levels) {
  return IntegerLevelHead::is_supported() && feature.steps.get_element_type() == ov::element::u8 &&
         feature.scale.numel() == 1 && feature.zero_point.numel() == 1 &&
         filters.steps.get_element_type() == ov::element::i8 &&
         filters.zero_point.eq(0).all().item<bool>() &&
         (filters.scale.numel() == 1 || filters.scale.numel() == levels);
}

// The map that the integer head's kernel reads, [N, C, H, W], where the file is quantized and the
// CPU has the instructions.
struct IntegerKernel {
  HeadKernel kernel;
  ov::Output<ov::Node> steps;
};

std::optional<IntegerKernel> integer_kernel(const Head& head) {
  const auto feature = find_dequantized(head.feature);
  const auto filters = find_dequantized(head.filters);
  const auto weight = view(*head.weight);
  if (!feature || !filters || !fits_integer_head(*feature, *filters, weight.size(0))) {
    return std::nullopt;
  }
  const IntegerHeadGrids grids{
      .weight_scale = filters->scale,
      .input_scale = feature->scale.item<float>(),
      .zero_point = static_cast<int64_t>(feature->zero_point.item<float>())};
  const auto levels = std::make_shared<IntegerLevelHead>(weight, floats_of(*head.bias), grids);
  return IntegerKernel{{[levels](const torch::Tensor& steps, int threads) {
                          return WinningHeads{(*levels)(steps, threads), {}};
                        },
                        /*has_fraction=*/false},
                       feature->steps};
}

HeadKernel float_kernel(const Head& head, const std::optional<FractionHead>& fraction) {
  HeadFilters filters{view(*head.weight), floats_of(*head.bias), {}, {}};
  if (fraction) {
    filters.fraction_weight = view(*fraction->head.weight);
    filters.fraction_bias = floats_of(*fraction->head.bias);
  }
  const auto heads = std::make_shared<LevelHead>(filters);
  return {[heads](const torch::Tensor& map, int threads) { return (*heads)(map, threads); },
          fraction.has_value()};
}

}  // namespace

int replace_level_heads(const std::shared_ptr<ov::Model>& model, int threads) {
  int replaced = 0;
  for (const auto& node : model->get_ordered_ops()) {
    const auto top = std::dynamic_pointer_cast<ov::op::util::TopKBase>(node);
    if (!top || top->get_k() != 1 || top->get_axis() != 1 ||
        top->get_mode() != ov::op::TopKMode::MAX || !top->output(0).get_target_inputs().empty()) {
      continue;
    }
    const auto head = find_head_of(*top);
    if (!head) continue;
    const auto integer = integer_kernel(*head);
    const auto fraction = integer ? std::nullopt : find_fraction(head->feature);
    const auto kernel = integer ? integer->kernel : float_kernel(*head, fraction);
    const auto order = Constant::create(ov::element::i64, {4}, {0, 2, 3, 1});
    const auto channels_last =
        std::make_shared<ov::op::v1::Transpose>(integer ? integer->steps : head->feature, order);
    const auto op = std::make_shared<LevelHeadOp>(ov::OutputVector{channels_last}, kernel,
                                                  top->get_index_element_type(), threads);
    op->set_friendly_name(top->get_friendly_name());
    top->output(1).replace(op->output(0));
    if (fraction) fraction->sum->output(0).replace(op->output(1));
    ++replaced;
  }
  return replaced;
}

}  // namespace dualdepth
