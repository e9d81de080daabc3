#include "dualdepth/deploy/run_graph.h"

#include <algorithm>

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/codec/plain_depth.h"

namespace dualdepth::deploy {
namespace {

constexpr int64_t kStripePixels = 8192;  // 8 MB of 256 channels

class Compute {
 public:
  explicit Compute(std::span<const torch::Tensor> inputs) : inputs_(inputs) {}

  torch::Tensor operator()(const Input&) const { TORCH_CHECK(false, "Input computes nothing"); }

  torch::Tensor operator()(const Affine& affine) const {
    return x() * affine.scale.view({1, -1, 1, 1}) + affine.shift.view({1, -1, 1, 1});
  }

  torch::Tensor operator()(const Conv& conv) const {
    return torch::conv2d(x(), conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation);
  }

  torch::Tensor operator()(const Relu&) const { return x().relu(); }
  torch::Tensor operator()(const Sigmoid&) const { return x().sigmoid(); }
  torch::Tensor operator()(const Add&) const { return inputs_[0] + inputs_[1]; }

  torch::Tensor operator()(const MaxPool& pool) const {
    return torch::max_pool2d(x(), pool.kernel, pool.stride, pool.padding);
  }

  torch::Tensor operator()(const Upsample& upsample) const {
    const auto factor = static_cast<double>(upsample.factor);
    return torch::upsample_nearest2d(x(), c10::nullopt, std::vector<double>{factor, factor});
  }

  torch::Tensor operator()(const Concat&) const {
    return torch::cat(std::vector<torch::Tensor>(inputs_.begin(), inputs_.end()), 1);
  }

  torch::Tensor operator()(const ArgMax&) const { return x().argmax(1, /*keepdim=*/true); }

  torch::Tensor operator()(const FakeQuantize& grid) const { return fake_quantize(x(), grid); }

  torch::Tensor operator()(const ComposeDepth& compose) const {
    if (!compose.params.use_dual_head) {
      // plain_depth applies the sigmoid that the graph has as a node of its own.
      return plain_depth(x().clamp(1e-7, 1 - 1e-7).logit(), compose.params.codec);
    }
    return DepthCodec(compose.params.codec).decode(inputs_[0], inputs_[1]);
  }

 private:
  const torch::Tensor& x() const { return inputs_[0]; }

  std::span<const torch::Tensor> inputs_;
};

// A convolution of stride 1 and what follows it, by stripes of lines.
torch::Tensor run_chain(const Graph& graph, std::span<const NodeId> chain, const torch::Tensor& in,
                        const ValueObserver& observe) {
  Conv conv = std::get<Conv>(graph.node(chain.front()).operation);
  const auto [up, left] = conv.padding;
  const auto padded = torch::constant_pad_nd(in, {left, left, up, up});
  const int64_t reach = conv.dilation[0] * (conv.weight.size(2) - 1);
  const int64_t lines = padded.size(2) - reach;
  const int64_t at_once = std::max<int64_t>(1, kStripePixels / (in.size(0) * in.size(3)));
  conv.padding = {0, 0};
  std::vector<torch::Tensor> stripes;
  for (int64_t line = 0; line < lines; line += at_once) {
    const int64_t count = std::min(at_once, lines - line);
    auto value = Compute(std::array{padded.narrow(2, line, count + reach)})(conv);
    if (observe) observe(chain.front(), value);
    for (const NodeId id : chain.subspan(1)) {
      value = run_operation(graph.node(id).operation, std::array{value});
      if (observe) observe(id, value);
    }
    stripes.push_back(std::move(value));
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

torch::Tensor fake_quantize(const torch::Tensor& x, const FakeQuantize& grid) {
  const int64_t first = grid.is_signed ? -128 : 0;
  const auto zero = static_cast<double>(grid.zero_point);
  const auto steps = (x / grid.scale).round_();
  const auto low = static_cast<double>(first) - zero;
  return steps.clamp_(low, low + 255).mul_(grid.scale);
}

torch::Tensor run_operation(const Operation& operation, std::span<const torch::Tensor> inputs) {
  return std::visit(Compute(inputs), operation);
}

std::vector<torch::Tensor> run_graph(const Graph& graph, const torch::Tensor& image,
                                     std::span<const NodeId> wanted, const ValueObserver& observe) {
  const torch::NoGradGuard no_grad;
  const auto chain = chain_to_stripe(graph);
  std::vector<torch::Tensor> values(graph.nodes().size());
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
      values[made] = run_chain(graph, chain, values[node.inputs[0]], observe);
    } else if (std::holds_alternative<Input>(node.operation)) {
      values[id] = image;
    } else {
      std::vector<torch::Tensor> inputs;
      inputs.reserve(node.inputs.size());
      for (const NodeId input : node.inputs) inputs.push_back(values[input]);
      values[id] = run_operation(node.operation, inputs);
    }
    if (observe && !strides) observe(id, values[id]);
    for (const NodeId input : node.inputs) {
      if (last_reader[input] == id) values[input].reset();
    }
  }
  std::vector<torch::Tensor> results;
  results.reserve(wanted.size());
  for (const NodeId id : wanted) results.push_back(values[id]);
  return results;
}

}  // namespace dualdepth::deploy
