#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "lint_table.h"
#include "onnx_tensor.h"

// The near-field NPU's rules.
namespace dualdepth {
namespace {

using Got = LintGot;
using Model = OnnxView;

bool is_power_of_two(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

std::string list(const std::vector<int64_t>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

// The first number of the attribute that `holds` is false for.
template <class Holds>
Got check_ints(const onnx::NodeProto& node, const char* name, Holds holds) {
  for (const int64_t value : ints_of(node, name, {})) {
    if (!holds(value)) return fmt::format("{} {}", name, list(ints_of(node, name, {})));
  }
  return std::nullopt;
}

Got forbidden(const Model&, const onnx::NodeProto& node) { return node.op_type(); }

Got arg_max_axis(const Model&, const onnx::NodeProto& node) {
  const int64_t axis = int_of(node, "axis", 0);
  return axis == 1 ? Got() : fmt::format("axis {}", axis);
}

Got arg_max_channels(const Model& model, const onnx::NodeProto& node) {
  const auto shape = node.input_size() > 0 ? model.shape(node.input(0)) : std::vector<int64_t>();
  if (shape.size() < 2 || shape[1] <= 256) return std::nullopt;
  return fmt::format("{} channels", shape[1]);
}

Got upsample_factor(const Model& model, const onnx::NodeProto& node) {
  auto scales = numbers_of(model, node, 1);
  if (const auto* attribute = find_attribute(node, "scales")) {
    scales.assign(attribute->floats().begin(), attribute->floats().end());
  }
  if (scales.empty()) return "factors that are computed";
  for (const double scale : scales) {
    const auto whole = static_cast<int64_t>(scale);
    if (static_cast<double>(whole) != scale || !is_power_of_two(whole)) {
      return fmt::format("factors [{}]", fmt::join(scales, ", "));
    }
  }
  return std::nullopt;
}

Got conv_kernel(const Model& model, const onnx::NodeProto& node) {
  auto kernel = ints_of(node, "kernel_shape", {});
  if (kernel.empty() && node.input_size() > 1) {
    const auto weight = model.shape(node.input(1));
    if (weight.size() > 2) kernel.assign(weight.begin() + 2, weight.end());
  }
  for (const int64_t side : kernel) {
    if (side > 17) return "kernel " + list(kernel);
  }
  return std::nullopt;
}

Got conv_dilation(const Model&, const onnx::NodeProto& node) {
  return check_ints(node, "dilations", [](int64_t value) { return value <= 5; });
}

Got conv_stride(const Model&, const onnx::NodeProto& node) {
  return check_ints(node, "strides", is_power_of_two);
}

Got slice_multiple(const Model& model, const onnx::NodeProto& node) {
  std::vector<double> bounds = numbers_of(model, node, 1);
  const auto ends = numbers_of(model, node, 2);
  bounds.insert(bounds.end(), ends.begin(), ends.end());
  for (const char* name : {"starts", "ends"}) {  // before opset 10
    for (const int64_t bound : ints_of(node, name, {})) {
      bounds.push_back(static_cast<double>(bound));
    }
  }
  if (bounds.empty()) return "bounds that are computed";
  for (const double bound : bounds) {
    // The greatest number means "to the end".
    if (bound >= static_cast<double>(std::numeric_limits<int32_t>::max())) continue;
    if (static_cast<int64_t>(bound) % 8 != 0) return fmt::format("bound {}", bound);
  }
  return std::nullopt;
}

Got concat_axis(const Model&, const onnx::NodeProto& node) {
  const int64_t axis = int_of(node, "axis", 0);
  return axis >= 1 && axis <= 3 ? Got() : fmt::format("axis {}", axis);
}

Got per_tensor(const Model& model, const onnx::NodeProto& node) {
  const auto scale = node.input_size() > 1 ? model.shape(node.input(1)) : std::vector<int64_t>();
  int64_t count = 1;
  for (const int64_t size : scale) count *= size;
  return count == 1 ? Got() : fmt::format("{} scales", count);
}

}  // namespace

const std::vector<LintRow>& npu_table() {
  static const std::vector<LintRow> rows{
      {{"no-softmax", "no Softmax", "hand out levels (ArgMax) or logits: no head needs it"},
       {"Softmax", "LogSoftmax"},
       forbidden},
      {{"no-resize", "no Resize", "export with profile npu, which writes Upsample"},
       {"Resize"},
       forbidden},
      {{"no-reshape", "no Reshape", "keep maps [N, C, H, W] from end to end"},
       {"Reshape", "Flatten", "Squeeze", "Unsqueeze"},
       forbidden},
      {{"argmax-axis", "ArgMax over the channels (axis 1)", "take the argmax over axis 1"},
       {"ArgMax"},
       arg_max_axis},
      {{"argmax-channels", "ArgMax over at most 256 channels", "use at most 256 levels"},
       {"ArgMax"},
       arg_max_channels},
      {{"upsample-factor", "Upsample by powers of two", "chain factors of 2"},
       {"Upsample"},
       upsample_factor},
      {{"conv-kernel", "convolution kernels of at most 17", "stack smaller kernels"},
       {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"},
       conv_kernel},
      {{"conv-dilation", "convolution dilation of at most 5", "use a smaller dilation"},
       {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"},
       conv_dilation},
      {{"conv-stride", "convolution strides that are powers of two", "use stride 1, 2 or 4"},
       {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"},
       conv_stride},
      {{"slice-multiple", "Slice bounds in multiples of 8", "cut at multiples of 8"},
       {"Slice"},
       slice_multiple},
      {{"concat-axis", "Concat along axis 1 to 3", "do not concatenate pictures of a batch"},
       {"Concat"},
       concat_axis},
      {{"per-tensor", "one scale for each tensor", "quantize per tensor: quantize --profile npu"},
       {"QuantizeLinear", "DequantizeLinear"},
       per_tensor}};
  return rows;
}

}  // namespace dualdepth
