#include "written_filters.h"

#include <vector>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {

std::string write_weight(NodeWriter& out, const torch::Tensor& weight, const torch::Tensor& scale,
                         int64_t axis) {
  const auto name = out.parameter("weight");
  if (!scale.defined()) return out.constant(name, weight, weight.sizes().vec());
  std::vector<int64_t> along(4, 1);
  along.at(static_cast<size_t>(axis)) = scale.numel();
  const auto codes = (weight / scale.view(along)).round_();
  const auto type = has_wide_codes(codes) ? torch::kInt16 : torch::kInt8;
  return write_dequantized(out, name, codes.to(type), scale, axis);
}

std::string write_bias(NodeWriter& out, const Filters& filters) {
  const auto name = out.parameter("bias");
  const Graph& graph = out.graph();
  const auto input = graph.node(graph.node(out.id()).inputs[0]).quantization;
  // ONNX Runtime has no operator of whole numbers for opset 9.
  const bool in_float =
      !filters.weight_scale.defined() || out.for_npu() || out.profile() == OnnxProfile::kTensorRt;
  if (in_float || !input) return out.constant(name, filters.bias, filters.bias.sizes().vec());
  const auto scale = filters.weight_scale.to(torch::kFloat64) * static_cast<double>(input->scale);
  return write_dequantized(out, name, integer_bias(filters, input->scale),
                           scale.to(torch::kFloat32));
}

}  // namespace dualdepth::graph
