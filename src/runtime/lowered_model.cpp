#include "lowered_model.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/topk.hpp>
#include <openvino/op/transpose.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/clipped_winners.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/model/integer_level_head.h"
#include "dualdepth/model/level_head.h"
#include "dualdepth/model/upsampled_filters.h"
#include "imported_node.h"
#include "level_head_op.h"
#include "lowered_resize.h"
#include "openvino_tensor.h"

namespace dualdepth {
namespace {

using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;
using Constant = ov::op::v0::Constant;
using Value = ov::Output<ov::Node>;

std::shared_ptr<Constant> constant(const torch::Tensor& values, const ov::Shape& shape) {
  const auto packed = values.contiguous();
  return std::make_shared<Constant>(openvino_type_of(packed.scalar_type()), shape,
                                    packed.const_data_ptr());
}

std::shared_ptr<Constant> constant(const torch::Tensor& values) {
  const auto sizes = values.sizes();
  return constant(values, ov::Shape(sizes.begin(), sizes.end()));
}

std::shared_ptr<Constant> number(float value) { return constant(torch::tensor({value}), {}); }

// One number for each channel of a value [N, C, ...].
std::shared_ptr<Constant> per_channel(const torch::Tensor& values, size_t rank = 4) {
  ov::Shape shape(rank, 1);
  shape.at(1) = static_cast<size_t>(values.numel());
  return constant(values, shape);
}

template <class Node, class... Arguments>
Value make(Arguments&&... arguments) {
  return std::make_shared<Node>(std::forward<Arguments>(arguments)...)->output(0);
}

ov::Strides strides(const std::array<int64_t, 2>& pair) {
  return {static_cast<size_t>(pair[0]), static_cast<size_t>(pair[1])};
}

bool is_plain_3x3(const Conv& conv) {
  using Pair = std::array<int64_t, 2>;
  const Pair one{1, 1};
  return conv.weight.size(2) == 3 && conv.weight.size(3) == 3 && conv.stride == one &&
         conv.padding == one && conv.dilation == one && conv.groups == 1;
}

bool is_plain_float_3x3(const Conv& conv) {
  return is_plain_3x3(conv) && !conv.weight_scale.defined();
}

// The integer head and, where one operation computes both, the fraction's convolution.
struct HeadNodes {
  std::vector<NodeId> chain;  // graph::integer_head, which ends with ArgMax
  std::optional<NodeId> fraction = {};
  bool in_codes = false;

  NodeId conv() const { return chain.front(); }
};

class Lowering {
 public:
  Lowering(const Graph& graph, const LoweringOptions& options)
      : graph_(graph),
        options_(options),
        names_(graph::node_names(graph)),
        upsampled_(graph::upsampled_convs(graph)),
        head_(find_head()),
        values_(graph.nodes().size()) {}

  std::shared_ptr<ov::Model> run() {
    for (id_ = 0; id_ < graph_.nodes().size(); ++id_) {
      if (head_ && belongs_to_head(id_)) {
        lower_head();
        continue;
      }
      values_[id_] = std::visit(*this, graph_.node(id_).operation);
      if (!passes_input()) values_[id_].get_node()->set_friendly_name(names_[id_]);
    }
    return std::make_shared<ov::Model>(results(), parameters_, "dualdepth");
  }

  Value operator()(const graph::Input& input) {
    const auto parameter = std::make_shared<ov::op::v0::Parameter>(
        openvino_type_of(graph_.node(id_).type), options_.input);
    parameter->output(0).set_names({input.name});
    parameters_.push_back(parameter);
    return parameter->output(0);
  }

  Value operator()(const graph::Affine& affine) {
    const size_t rank = graph_.node(id_).shape.size();
    const auto scaled = make<ov::op::v1::Multiply>(in(), per_channel(affine.scale, rank));
    return make<ov::op::v1::Add>(scaled, per_channel(affine.shift, rank));
  }

  Value operator()(const Conv& conv) {
    const auto products =
        is_plain_float_3x3(conv) ? convolve_small_maps(conv) : std::optional<Value>();
    return make<ov::op::v1::Add>(products.value_or(convolve(in(), conv, filters(conv))),
                                 per_channel(bias(id_)));
  }

  Value operator()(const graph::Relu&) { return make<ov::op::v0::Relu>(in()); }
  Value operator()(const graph::Sigmoid&) { return make<ov::op::v0::Sigmoid>(in()); }
  Value operator()(const graph::Add&) { return make<ov::op::v1::Add>(in(0), in(1)); }

  Value operator()(const graph::MaxPool& pool) {
    if (pool.dilation != graph::Pair{1, 1}) return import_written();
    const ov::Shape padding = strides(pool.padding);
    return make<ov::op::v1::MaxPool>(in(), strides(pool.stride), padding, padding,
                                     ov::Shape(strides(pool.kernel)));
  }

  Value operator()(const graph::Upsample& upsample) {
    const auto factor = static_cast<float>(upsample.factor);
    return lower_resize({.interpolation = graph::Interpolation::kNearest,
                         .coordinates = graph::Coordinates::kAsymmetric,
                         .nearest = graph::Nearest::kFloor,
                         .factors = {factor, factor}},
                        in());
  }

  Value operator()(const graph::Resize& resize) { return lower_resize(resize, in()); }

  Value operator()(const graph::Concat& concat) {
    return make<ov::op::v0::Concat>(inputs(), concat.axis);
  }

  Value operator()(const graph::ArgMax&) {
    const auto one = Constant::create(ov::element::i64, {}, {1});
    return std::make_shared<ov::op::v11::TopK>(in(), one, 1, ov::op::TopKMode::MAX,
                                               ov::op::TopKSortType::SORT_VALUES, ov::element::i64,
                                               /*stable=*/true)  // the first of equals
        ->output(1);
  }

  // OpenVINO's passes recognize this form of a QuantizeLinear and a DequantizeLinear.
  Value operator()(const FakeQuantize& quantization) {
    const auto first = static_cast<float>(quantization.first_code());
    const auto last = static_cast<float>(quantization.last_code());
    const auto zero_point = static_cast<float>(quantization.zero_point);
    const float scale = quantization.scale;
    const auto rounded = make<ov::op::v0::FakeQuantize>(
        in(), number((first - zero_point) * scale), number((last - zero_point) * scale),
        number(first), number(last), size_t{1} << quantization.bits);
    auto value = rounded;  // OpenVINO has no kernels for codes of 16 bits
    if (quantization.bits == 8) {
      codes_[id_] = make<ov::op::v0::Convert>(
          rounded, quantization.is_signed ? ov::element::i8 : ov::element::u8);
      value = make<ov::op::v0::Convert>(codes_[id_], ov::element::f32);
    }
    if (zero_point != 0) value = make<ov::op::v1::Subtract>(value, number(zero_point));
    return make<ov::op::v1::Multiply>(value, number(scale));
  }

  Value operator()(const graph::Constant& number) { return constant(number.value); }

  Value operator()(const graph::Foreign& foreign) {
    return import_node(core_, foreign.model, inputs(), names_[id_]);
  }

  // What has no better form in OpenVINO than that which its file has.
  template <class Other>
  Value operator()(const Other&) {
    return import_written();
  }

 private:
  Value in(size_t i = 0) const { return values_.at(graph_.node(id_).inputs.at(i)); }

  ov::OutputVector inputs() const {
    ov::OutputVector inputs;
    for (const NodeId input : graph_.node(id_).inputs) inputs.push_back(values_.at(input));
    return inputs;
  }

  Value import_written() {
    return import_node(core_, written_alone(graph_, id_), inputs(), names_[id_]);
  }

  // A Cast to the type that the value has, for one, is no node.
  bool passes_input() const { return std::ranges::count(inputs(), values_[id_]) > 0; }

  const Conv& conv_at(NodeId id) const { return std::get<Conv>(graph_.node(id).operation); }

  ov::ResultVector results() const {
    ov::ResultVector results;
    for (const auto& output : graph_.outputs()) {
      auto value = values_.at(output.node);
      value.add_names({output.name});
      results.push_back(std::make_shared<ov::op::v0::Result>(value));
    }
    return results;
  }

  static Value convolve(const Value& map, const Conv& conv, const Value& filters) {
    const ov::CoordinateDiff padding{conv.padding[0], conv.padding[1]};
    if (conv.groups == 1) {
      return make<ov::op::v1::Convolution>(map, filters, strides(conv.stride), padding, padding,
                                           strides(conv.dilation));
    }
    const auto sizes = conv.weight.sizes();
    const auto groups = Constant::create(
        ov::element::i64, {5},
        std::vector<int64_t>{conv.groups, sizes[0] / conv.groups, sizes[1], sizes[2], sizes[3]});
    return make<ov::op::v1::GroupConvolution>(
        map, make<ov::op::v1::Reshape>(filters, groups, false), strides(conv.stride), padding,
        padding, strides(conv.dilation));
  }

  static bool has_codes_of_8_bits(const Conv& conv) {
    if (!conv.weight_scale.defined()) return false;
    return !graph::has_wide_codes(graph::filter_codes(graph::filters_of(conv)));
  }

  static Value filters(const Conv& conv) {
    if (!has_codes_of_8_bits(conv)) return constant(conv.weight);
    const auto codes = graph::filter_codes(graph::filters_of(conv)).to(torch::kInt8);
    const auto values = make<ov::op::v0::Convert>(constant(codes), ov::element::f32);
    return make<ov::op::v1::Multiply>(values, constant(conv.weight_scale.view({-1, 1, 1, 1})));
  }

  // As run_graph computes it: in whole multiples of the scales where the input is quantized.
  torch::Tensor bias(NodeId id) const {
    const Conv& conv = conv_at(id);
    const auto input = graph::grid_of(graph_, graph_.node(id).inputs[0]);
    if (!conv.weight_scale.defined() || !input) return conv.bias;
    return integer_bias(graph::filters_of(conv), input->scale) * (conv.weight_scale * input->scale);
  }

  // Where the convolution reads a map that is upsampled by 2, only this or in front of others.
  std::optional<Value> convolve_small_maps(const Conv& conv) const {
    const auto found = std::ranges::find_if(upsampled_, [&](const graph::UpsampledConv& one) {
      const auto& upsample = std::get<graph::Upsample>(graph_.node(one.upsample).operation);
      return one.conv == id_ && one.first == 0 && upsample.factor == 2;
    });
    if (found == upsampled_.end()) return std::nullopt;
    const auto parts =
        found->concat ? graph_.node(*found->concat).inputs : std::vector<NodeId>{found->upsample};
    const NodeId small = graph_.node(found->upsample).inputs[0];
    const int64_t channels = graph_.node(small).shape[1];
    const ov::CoordinateDiff padding{1, 1};
    auto doubled = make<ov::op::v1::ConvolutionBackpropData>(
        values_[small], constant(upsampled_filters(conv.weight.slice(1, 0, channels))),
        ov::Strides{2, 2}, padding, padding, ov::Strides{1, 1});
    if (parts.size() == 1) return doubled;
    ov::OutputVector rest;
    for (size_t i = 1; i < parts.size(); ++i) rest.push_back(values_[parts[i]]);
    const auto map_of_rest = rest.size() == 1 ? rest[0] : make<ov::op::v0::Concat>(rest, 1);
    // OpenVINO adds the second term while it computes the first.
    return make<ov::op::v1::Add>(
        convolve(map_of_rest, conv, constant(conv.weight.slice(1, channels))), doubled);
  }

  std::optional<HeadNodes> find_head() const {
    HeadNodes head{.chain = graph::integer_head(graph_)};
    if (head.chain.empty() ||
        !std::holds_alternative<graph::ArgMax>(graph_.node(head.chain.back()).operation) ||
        !is_plain_3x3(conv_at(head.conv()))) {
      return std::nullopt;
    }
    const NodeId map = graph_.node(head.conv()).inputs[0];
    const auto* codes = std::get_if<FakeQuantize>(&graph_.node(map).operation);
    head.in_codes = options_.integer_head && codes != nullptr && !codes->is_signed &&
                    codes->bits == 8 && has_codes_of_8_bits(conv_at(head.conv())) &&
                    conv_at(head.conv()).weight_scale.defined();
    for (NodeId id = map + 1; !head.in_codes && id < graph_.nodes().size(); ++id) {
      const auto* conv = std::get_if<Conv>(&graph_.node(id).operation);
      const bool is_fraction = conv != nullptr && graph_.node(id).inputs[0] == map &&
                               conv->weight.size(0) == 1 && is_plain_float_3x3(*conv);
      if (is_fraction && id != head.conv()) head.fraction = id;
    }
    return head;
  }

  const HeadNodes& head_found() const {
    if (!head_) throw std::logic_error("the graph has no integer head");
    return *head_;
  }

  bool belongs_to_head(NodeId id) const {
    return id == head_found().fraction || std::ranges::count(head_found().chain, id) > 0;
  }

  // At the first of its nodes; all read one map.
  void lower_head() {
    const NodeId level = head_found().chain.back();
    if (values_[level].get_node() != nullptr) return;
    const NodeId map = graph_.node(head_found().conv()).inputs[0];
    const auto order = Constant::create(ov::element::i64, {4}, {0, 2, 3, 1});
    const auto channels_last =
        make<ov::op::v1::Transpose>(head_found().in_codes ? codes_.at(map) : values_[map], order);
    const auto op = std::make_shared<LevelHeadOp>(
        channels_last, head_found().in_codes ? integer_kernel(map) : float_kernel(),
        options_.threads);
    op->set_friendly_name(names_[level]);
    values_[level] = op->output(0);
    if (head_found().fraction) values_[*head_found().fraction] = op->output(1);
  }

  LevelHeadOp::Kernel integer_kernel(NodeId map) const {
    const Conv& conv = conv_at(head_found().conv());
    const auto& codes = std::get<FakeQuantize>(graph_.node(map).operation);
    const auto head = std::make_shared<IntegerLevelHead>(
        conv.weight, bias(head_found().conv()),
        IntegerHeadGrids{.weight_scale = conv.weight_scale,
                         .input_scale = codes.scale,
                         .zero_point = codes.zero_point,
                         .clipping_value = graph::clipping_value(graph_)});
    return {.run =
                [head](const torch::Tensor& map, int threads) {
                  return WinningHeads{(*head)(map, threads), {}};
                },
            .has_fraction = false};
  }

  LevelHeadOp::Kernel float_kernel() const {
    HeadFilters filters{conv_at(head_found().conv()).weight, bias(head_found().conv()), {}, {}};
    if (head_found().fraction) {
      filters.fraction_weight = conv_at(*head_found().fraction).weight;
      filters.fraction_bias = conv_at(*head_found().fraction).bias;
    }
    const auto head = std::make_shared<LevelHead>(filters, graph::clipping_value(graph_));
    return {.run = [head](const torch::Tensor& map, int threads) { return (*head)(map, threads); },
            .has_fraction = head_found().fraction.has_value()};
  }

  const Graph& graph_;
  const LoweringOptions& options_;
  ov::Core core_;  // reads what is imported
  std::vector<std::string> names_;
  std::vector<graph::UpsampledConv> upsampled_;
  std::optional<HeadNodes> head_;
  std::vector<Value> values_;
  std::map<NodeId, Value> codes_;  // of FakeQuantize nodes
  ov::ParameterVector parameters_;
  NodeId id_ = 0;
};

}  // namespace

std::shared_ptr<ov::Model> lower(const Graph& graph, const LoweringOptions& options) {
  return Lowering(graph, options).run();
}

}  // namespace dualdepth
