#include <fmt/format.h>

#include "dualdepth/graph/graph.h"
#include "entries.h"
#include "integer_sums.h"
#include "window.h"
#include "written_filters.h"

namespace dualdepth::graph {
namespace {

ValueType infer_conv(const Conv& conv, const Operands& in) {
  const Shape& x = in.only_map();
  in.expect(conv.weight.defined() && conv.weight.dim() == 4, "weight [O, C, kh, kw]", "another");
  const int64_t filters = conv.weight.size(0);
  in.expect(conv.groups >= 1 && x[1] % conv.groups == 0 && filters % conv.groups == 0,
            "groups that divide the channels of input and output",
            fmt::format("{} groups of {} and {}", conv.groups, x[1], filters));
  in.expect_tensor("weight", conv.weight,
                   {filters, x[1] / conv.groups, conv.weight.size(2), conv.weight.size(3)});
  in.expect_tensor("bias", conv.bias, {filters});
  expect_scale(in, conv);
  return {in.slide({x[0], filters, x[2], x[3]}, {conv.weight.size(2), conv.weight.size(3)},
                   conv.stride, conv.padding, conv.dilation)};
}

Value compute_conv(const Conv& conv, const Arguments& in) {
  const auto convolve = [&](const torch::Tensor& x, const torch::Tensor& weight,
                            const torch::Tensor& bias) {
    return torch::conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups);
  };
  if (!conv.weight_scale.defined() || !in.quantization) {
    return convolve(in.real(), conv.weight, conv.bias);
  }
  return {integer_sums(filters_of(conv), conv.groups, in.real(), *in.quantization,
                       [&](const torch::Tensor& x, const torch::Tensor& weight) {
                         return convolve(x, weight, {});
                       }),
          along_channels(conv.weight_scale * in.quantization->scale, 4)};
}

torch::Tensor read_bias(NodeReader& node, int64_t filters) {
  if (!node.has(2)) return torch::zeros({filters});
  return node.constant(2).value;
}

std::vector<StandardValue> read_conv(NodeReader& node) {
  const Shape map = node.operand(0).shape;
  const ConstantValue& weight = node.constant(1);
  if (weight.value.dim() != 4) node.unsupported("weight [O, C, kh, kw]", "another");
  const Window window = read_window(node, map, {weight.value.size(2), weight.value.size(3)});
  const bool quantized =
      weight.weight_scale.defined() && (weight.weight_scale.numel() == 1 || weight.axis == 0);
  Conv conv{.weight = weight.value,
            .bias = read_bias(node, weight.value.size(0)),
            .stride = window.stride,
            .padding = window.is_symmetric() ? window.padding() : Pair{0, 0},
            .dilation = window.dilation,
            .weight_scale = quantized ? weight.weight_scale : torch::Tensor(),
            .groups = node.integer("group", 1)};
  const auto outside = window.is_symmetric() ? std::array<int64_t, 4>{} : window.pads;
  return one(node.add(std::move(conv), {add_padding(node, node.value(0), outside, 0)}));
}

void write_conv(const Conv& conv, NodeWriter& out) {
  auto attributes =
      window_attributes({conv.weight.size(2), conv.weight.size(3)}, conv.stride, conv.padding);
  attributes.emplace_back("dilations",
                          std::vector<int64_t>(conv.dilation.begin(), conv.dilation.end()));
  attributes.emplace_back("group", conv.groups);
  const bool separate_bias = out.for_npu() && conv.weight_scale.defined();
  const auto filters = write_weight(out, conv.weight, conv.weight_scale, 0);
  if (!separate_bias) {
    return out.make(
        {"Conv", {out.input(), filters, write_bias(out, filters_of(conv))}, attributes});
  }
  const auto product = out.begin({"Conv", {out.input(), filters}, attributes}, "_product");
  const auto shift = out.constant(out.parameter("bias"), conv.bias, {1, conv.bias.numel(), 1, 1});
  out.end({"Add", {product, shift}}, "/Add");
}

}  // namespace

OperatorEntry conv_entry() {
  return make_entry<Conv>({
      .name = named<Conv>("Conv"),
      .infer = infer_conv,
      .compute = compute_conv,
      .can_be_quantized = true,
      .multiply_accumulates =
          [](const Conv& conv, const Shape& value) {
            return value[0] * value[2] * value[3] * conv.weight.numel();
          },
      .parameters = [](const Conv& conv) { return conv.weight.numel() + conv.bias.numel(); },
      .details =
          [](const Conv& conv) {
            const auto window =
                fmt::format("{}x{} /{}", conv.weight.size(2), conv.weight.size(3), conv.stride[0]);
            return conv.groups == 1 ? window : fmt::format("{} g{}", window, conv.groups);
          },
      .color = "#cfe3ff",
      .forms = {{"Conv", read_conv}},
      .write = write_conv,
  });
}

}  // namespace dualdepth::graph
