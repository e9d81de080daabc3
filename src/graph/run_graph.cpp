#include "dualdepth/graph/run_graph.h"

#include <algorithm>

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/codec/plain_depth.h"

namespace dualdepth::graph {
namespace {

constexpr int64_t kStripePixels = 8192;  // 8 MB of 256 channels
constexpr double kExact = 1 << 24;       // whole numbers up to here are exact in float32

// s (clamp(round(steps), ...)), steps from the zero point.
torch::Tensor on_grid(const torch::Tensor& steps, const FakeQuantize& grid) {
  const int64_t codes = int64_t{1} << grid.bits;
  const auto low = static_cast<double>((grid.is_signed ? -codes / 2 : 0) - grid.zero_point);
  return steps.round().clamp_(low, low + static_cast<double>(codes - 1)).mul_(grid.scale);
}

// Ends of runs of input channels over which no sum of a filter can leave what float32 holds
// exactly, whatever the order of the sum.
std::vector<int64_t> exact_runs(const torch::Tensor& filters, double greatest_step) {
  const auto sizes = filters.abs().sum({2, 3}).t().to(torch::kFloat64).contiguous();  // [C, O]
  std::vector<int64_t> ends;
  auto sum = torch::zeros({filters.size(0)}, torch::kFloat64);
  for (int64_t c = 0; c < sizes.size(0); ++c) {
    const auto with = sum + sizes[c];
    const bool fits = with.max().item<double>() * greatest_step < kExact;
    if (!fits) ends.push_back(c);
    sum = fits ? with : sizes[c].clone();
  }
  ends.push_back(sizes.size(0));
  return ends;
}

constexpr double kByte = 256;

bool has_16_bits(const torch::Tensor& codes) { return codes.abs().max().item<float>() >= kByte; }

// The exact sums of a convolution of whole numbers, float64. Numbers of 16 bits are split into two
// of 8 bits each, whose products are exact in float32.
torch::Tensor exact_sums(const Conv& conv, const torch::Tensor& codes,
                         const torch::Tensor& filters) {
  if (has_16_bits(codes)) {
    const auto high = (codes / kByte).floor();
    return exact_sums(conv, high, filters) * kByte +
           exact_sums(conv, codes - high * kByte, filters);
  }
  if (has_16_bits(filters)) {
    const auto high = (filters / kByte).floor();
    return exact_sums(conv, codes, high) * kByte + exact_sums(conv, codes, filters - high * kByte);
  }
  torch::Tensor sums;
  int64_t begin = 0;
  for (const int64_t end : exact_runs(filters, kByte)) {
    const auto run = torch::conv2d(codes.slice(1, begin, end), filters.slice(1, begin, end), {},
                                   conv.stride, conv.padding, conv.dilation)
                         .to(torch::kFloat64);
    sums = sums.defined() ? sums + run : run;
    begin = end;
  }
  return sums;
}

// A convolution in whole numbers, with its bias: float32 of the exact sums.
torch::Tensor integer_sums(const Conv& conv, const torch::Tensor& x, const FakeQuantize& grid) {
  const auto codes = (x / grid.scale).round_();
  const auto filters = (conv.weight / conv.weight_scale.view({-1, 1, 1, 1})).round_();
  const auto bias = integer_bias(conv, grid.scale).to(torch::kFloat64).view({1, -1, 1, 1});
  return (exact_sums(conv, codes, filters) + bias).to(torch::kFloat32);
}

torch::Tensor per_channel(const torch::Tensor& step) { return step.view({1, -1, 1, 1}); }

// What one node computes from its inputs.
class Compute {
 public:
  Compute(const Graph& graph, NodeId id, std::span<const Value> inputs)
      : graph_(graph), id_(id), inputs_(inputs) {}

  Value operator()(const Input&) const { TORCH_CHECK(false, "Input computes nothing"); }

  Value operator()(const Affine& affine) const {
    return x() * per_channel(affine.scale) + per_channel(affine.shift);
  }

  Value operator()(const Conv& conv) const {
    if (conv.weight_scale.defined()) {
      const auto grid = grid_of(graph_, graph_.node(id_).inputs[0]);
      if (grid) return {integer_sums(conv, x(), *grid), conv.weight_scale * grid->scale};
    }
    return torch::conv2d(x(), conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation);
  }

  Value operator()(const Relu&) const {
    if (inputs_[0].is_sum()) return {inputs_[0].sums().relu(), inputs_[0].step()};
    return x().relu();
  }

  Value operator()(const Sigmoid&) const { return x().sigmoid(); }
  Value operator()(const Add&) const { return inputs_[0].real() + inputs_[1].real(); }

  Value operator()(const MaxPool& pool) const {
    return torch::max_pool2d(x(), pool.kernel, pool.stride, pool.padding);
  }

  Value operator()(const Upsample& upsample) const {
    const auto factor = static_cast<double>(upsample.factor);
    return torch::upsample_nearest2d(x(), c10::nullopt, std::vector<double>{factor, factor});
  }

  Value operator()(const Concat&) const {
    std::vector<torch::Tensor> parts;
    parts.reserve(inputs_.size());
    for (const Value& input : inputs_) parts.push_back(input.real());
    return torch::cat(parts, 1);
  }

  Value operator()(const ArgMax&) const { return x().argmax(1, /*keepdim=*/true); }

  Value operator()(const FakeQuantize& grid) const {
    if (!inputs_[0].is_sum()) return fake_quantize(x(), grid);
    return on_grid(inputs_[0].sums() * per_channel(inputs_[0].step() / grid.scale), grid);
  }

  Value operator()(const ComposeDepth& compose) const {
    if (!compose.params.use_dual_head) {
      // plain_depth applies the sigmoid that the graph has as a node of its own.
      return plain_depth(x().clamp(1e-7, 1 - 1e-7).logit(), compose.params.codec);
    }
    return DepthCodec(compose.params.codec).decode(inputs_[0].real(), inputs_[1].real());
  }

 private:
  torch::Tensor x() const { return inputs_[0].real(); }

  const Graph& graph_;
  NodeId id_;
  std::span<const Value> inputs_;
};

// A convolution of stride 1 and what follows it, by stripes of lines.
torch::Tensor run_chain(const Graph& graph, std::span<const NodeId> chain, const torch::Tensor& in,
                        const ValueObserver& observe) {
  const NodeId head = chain.front();
  Conv conv = std::get<Conv>(graph.node(head).operation);
  const auto [up, left] = conv.padding;
  const auto padded = torch::constant_pad_nd(in, {left, left, up, up});
  const int64_t reach = conv.dilation[0] * (conv.weight.size(2) - 1);
  const int64_t lines = padded.size(2) - reach;
  const int64_t at_once = std::max<int64_t>(1, kStripePixels / (in.size(0) * in.size(3)));
  conv.padding = {0, 0};
  std::vector<torch::Tensor> stripes;
  for (int64_t line = 0; line < lines; line += at_once) {
    const int64_t count = std::min(at_once, lines - line);
    const Value part = padded.narrow(2, line, count + reach);
    Value value = Compute(graph, head, {&part, 1})(conv);
    if (observe) observe(head, value.real());
    for (const NodeId id : chain.subspan(1)) {
      value = run_node(graph, id, {&value, 1});
      if (observe) observe(id, value.real());
    }
    stripes.push_back(value.real());
  }
  return torch::cat(stripes, 2);
}

// The integer head, where running it in stripes is worth it.
std::vector<NodeId> chain_to_stripe(const Graph& graph) {
  auto chain = integer_head(graph);
  if (chain.empty() || !std::holds_alternative<ArgMax>(graph.node(chain.back()).operation)) {
    return {};
  }
  const auto& conv = std::get<Conv>(graph.node(chain.front()).operation);
  return conv.stride == std::array<int64_t, 2>{1, 1} ? chain : std::vector<NodeId>();
}

}  // namespace

torch::Tensor Value::real() const { return is_sum() ? value_ * per_channel(step_) : value_; }

torch::Tensor fake_quantize(const torch::Tensor& x, const FakeQuantize& grid) {
  return on_grid(x / grid.scale, grid);
}

Value run_node(const Graph& graph, NodeId id, std::span<const Value> inputs) {
  return std::visit(Compute(graph, id, inputs), graph.node(id).operation);
}

std::vector<torch::Tensor> run_graph(const Graph& graph, const torch::Tensor& image,
                                     std::span<const NodeId> wanted, const ValueObserver& observe) {
  const torch::NoGradGuard no_grad;
  const auto chain = chain_to_stripe(graph);
  std::vector<Value> values(graph.nodes().size());
  std::vector<NodeId> last_reader(graph.nodes().size(), 0);
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) last_reader[input] = id;
  }
  for (const NodeId id : wanted) last_reader[id] = graph.nodes().size();
  const NodeId end = wanted.empty() ? graph.nodes().size() : std::ranges::max(wanted) + 1;
  for (NodeId id = 0; id < end; ++id) {
    const Node& node = graph.node(id);
    if (!chain.empty() && id != chain.front() && std::ranges::count(chain, id) > 0) continue;
    const bool strides = !chain.empty() && id == chain.front();
    const NodeId made = strides ? chain.back() : id;
    if (strides) {
      values[made] = run_chain(graph, chain, values[node.inputs[0]].real(), observe);
    } else if (std::holds_alternative<Input>(node.operation)) {
      values[id] = image;
    } else {
      std::vector<Value> inputs;
      inputs.reserve(node.inputs.size());
      for (const NodeId input : node.inputs) inputs.push_back(values[input]);
      values[id] = run_node(graph, id, inputs);
    }
    if (observe && !strides) observe(id, values[id].real());
    for (const NodeId input : node.inputs) {
      if (last_reader[input] == id) values[input] = Value();
    }
  }
  std::vector<torch::Tensor> results;
  results.reserve(wanted.size());
  for (const NodeId id : wanted) results.push_back(values[id].real());
  return results;
}

}  // namespace dualdepth::graph
