#include <algorithm>

#include "dualdepth/graph/graph.h"
#include "entries.h"
#include "integer_sums.h"
#include "window.h"
#include "written_filters.h"

namespace dualdepth::graph {
namespace {

ValueType infer(const ConvTranspose& conv, const Operands& in) {
  const Shape& x = in.only_map();
  in.expect(conv.weight.defined() && conv.weight.dim() == 4, "weight [C, O / groups, kh, kw]",
            "another");
  in.expect(conv.groups >= 1 && x[1] % conv.groups == 0, "groups that divide the channels",
            std::to_string(conv.groups));
  const int64_t filters = in.times(conv.weight.size(1), conv.groups);
  in.expect_tensor("weight", conv.weight,
                   {x[1], conv.weight.size(1), conv.weight.size(2), conv.weight.size(3)});
  in.expect_tensor("bias", conv.bias, {filters});
  expect_scale(in, conv);
  Shape shape{x[0], filters, 0, 0};
  for (size_t i = 0; i < 2; ++i) {
    in.expect(conv.stride.at(i) >= 1 && conv.dilation.at(i) >= 1 && conv.padding.at(i) >= 0 &&
                  conv.output_padding.at(i) >= 0,
              "stride and dilation of at least 1, padding of at least 0", "less");
    in.expect(conv.output_padding.at(i) < std::max(conv.stride.at(i), conv.dilation.at(i)),
              "output padding below stride or dilation", std::to_string(conv.output_padding.at(i)));
    const auto kernel = conv.weight.size(static_cast<int64_t>(i) + 2);
    const int64_t reach = in.plus(in.times(conv.dilation.at(i), kernel - 1), 1);
    const int64_t whole = in.plus(in.times(x[2 + i] - 1, conv.stride.at(i)), reach);
    shape[2 + i] = in.plus(whole, conv.output_padding.at(i)) - in.times(2, conv.padding.at(i));
    in.expect(shape[2 + i] >= 1, "a result of at least one pixel", to_text(shape));
  }
  return {shape};
}

// The total padding that output_shape asks for, and how auto_pad shares it.
void pad_to_output(NodeReader& node, Window& window, const Shape& map, Pair extra) {
  const auto asked = node.integers("output_shape", {});
  const auto automatic = node.text("auto_pad", "NOTSET");
  const bool same = automatic.starts_with("SAME");
  if (asked.empty() && !same) return;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t size =
        asked.size() >= 2 ? asked[asked.size() - 2 + i] : map[2 + i] * window.stride.at(i);
    const int64_t reach = window.dilation.at(i) * (window.kernel.at(i) - 1) + 1;
    const int64_t total = (map[2 + i] - 1) * window.stride.at(i) + reach + extra.at(i) - size;
    if (total < 0) node.unsupported("a result that needs no added lines", std::to_string(size));
    const bool upper = automatic == "SAME_UPPER";
    window.pads.at(i) = upper ? total / 2 : total - total / 2;
    window.pads.at(i + 2) = total - window.pads.at(i);
  }
}

std::vector<StandardValue> read(NodeReader& node) {
  const Shape map = node.operand(0).shape;
  const auto& [weight, scale, axis] = node.constant(1);
  if (weight.dim() != 4) node.unsupported("weight [C, O / groups, kh, kw]", "another");
  Window window = read_window(node, map, {weight.size(2), weight.size(3)});
  const auto extra = node.integers("output_padding", {0, 0});
  if (extra.size() != 2) node.unsupported("two numbers in output_padding", "others");
  pad_to_output(node, window, map, {extra[0], extra[1]});
  const int64_t groups = node.integer("group", 1);
  if (groups < 1 || groups > weight.size(0)) node.fail("groups that divide the channels", "others");
  ConvTranspose conv{
      .weight = weight,
      .bias = node.has(2) ? node.constant(2).value : torch::zeros({weight.size(1) * groups}),
      .stride = window.stride,
      .padding = window.padding(),
      .dilation = window.dilation,
      .output_padding = {extra[0], extra[1]},
      .groups = groups};
  if (scale.defined() && (scale.numel() == 1 || axis == axis_of_filters(conv))) {
    conv.weight_scale = scale;
  }
  // What is cut off at one side only is cut off the result.
  std::array<int64_t, 4> cut{0, 0, 0, 0};
  for (size_t i = 0; i < 2; ++i) {
    conv.padding.at(i) = std::min(window.pads.at(i), window.pads.at(i + 2));
    cut.at(i) = conv.padding.at(i) - window.pads.at(i);
    cut.at(i + 2) = conv.padding.at(i) - window.pads.at(i + 2);
  }
  return one(add_padding(node, node.add(std::move(conv), {node.value(0)}), cut, 0));
}

Value compute(const ConvTranspose& conv, const Arguments& in) {
  const auto convolve = [&](const torch::Tensor& x, const torch::Tensor& weight,
                            const torch::Tensor& bias) {
    return torch::conv_transpose2d(x, weight, bias, conv.stride, conv.padding, conv.output_padding,
                                   conv.groups, conv.dilation);
  };
  if (!conv.weight_scale.defined() || !in.quantization) {
    return convolve(in.real(), conv.weight, conv.bias);
  }
  return {integer_sums(filters_of(conv), conv.groups, in.real(), *in.quantization,
                       [&](const torch::Tensor& x, const torch::Tensor& weight) {
                         return convolve(x, transposed_filters(weight, conv.groups), {});
                       }),
          along_channels(conv.weight_scale * in.quantization->scale, 4)};
}

void write(const ConvTranspose& conv, NodeWriter& out) {
  auto attributes =
      window_attributes({conv.weight.size(2), conv.weight.size(3)}, conv.stride, conv.padding);
  attributes.emplace_back("dilations",
                          std::vector<int64_t>(conv.dilation.begin(), conv.dilation.end()));
  attributes.emplace_back("output_padding", std::vector<int64_t>(conv.output_padding.begin(),
                                                                 conv.output_padding.end()));
  attributes.emplace_back("group", conv.groups);
  const auto weight =
      write_weight(out, conv.weight, conv.weight_scale, axis_of_filters(conv).value_or(0));
  const auto bias = write_bias(out, filters_of(conv));
  out.make({"ConvTranspose", {out.input(), weight, bias}, attributes});
}

}  // namespace

OperatorEntry conv_transpose_entry() {
  return make_entry<ConvTranspose>({
      .name = named<ConvTranspose>("ConvTranspose"),
      .infer = infer,
      .compute = compute,
      .can_be_quantized = true,
      .multiply_accumulates =
          [](const ConvTranspose& conv, const Shape& value) {
            // Each input pixel meets every weight; there are stride^2 output pixels to each.
            return value[0] * value[2] * value[3] * conv.weight.numel() /
                   (conv.stride[0] * conv.stride[1]);
          },
      .parameters =
          [](const ConvTranspose& conv) { return conv.weight.numel() + conv.bias.numel(); },
      .details =
          [](const ConvTranspose& conv) {
            return fmt::format("{}x{} *{}", conv.weight.size(2), conv.weight.size(3),
                               conv.stride[0]);
          },
      .color = "#cfe3ff",
      .forms = {{"ConvTranspose", read}},
      .write = write,
  });
}

}  // namespace dualdepth::graph
