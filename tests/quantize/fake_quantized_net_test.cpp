#include "dualdepth/quantize/fake_quantized_net.h"

#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/train/optimizer.h"
#include "quantized_network.h"

namespace dualdepth::quantize {
namespace {

class FakeQuantizedNetTest : public QuantizedNetwork {
 protected:
  FakeQuantizedNetTest() {
    // Also layers whose codes and biases are other ones than rounding to nearest gives.
    QuantizeOptions options = quick();
    options.round_adaptively = true;
    quantization_ = quantize_graph(graph_, contract_, pictures_, options);
  }

  static torch::Tensor all_pixels() { return torch::arange(32 * 64); }

  graph::NodeId fraction_conv() const {
    const auto& graph = quantization_.graph;
    auto id = graph.output("fraction");
    while (!std::holds_alternative<graph::Conv>(graph.node(id).operation)) {
      id = graph.node(id).inputs[0];
    }
    return id;
  }

  Quantization quantization_;
};

// Relative to the size of what is wanted.
double relative_error(const torch::Tensor& said, const torch::Tensor& wanted) {
  return (said - wanted).norm().item<double>() / wanted.norm().item<double>();
}

torch::Tensor integer_logits(const Quantization& quantization, const torch::Tensor& image) {
  const auto& graph = quantization.graph;
  const auto integer = graph::integer_head(graph).front();
  std::vector<torch::Tensor> logits;
  graph::run_graph(graph, image, graph::output_nodes(graph),
                   [&](graph::NodeId id, const torch::Tensor& value) {
                     if (id == integer) logits.push_back(value);
                   });
  return torch::cat(logits, 2);
}

ModelOptions narrow_with_its_head_at_scale_1() {
  ModelOptions model = testing::narrow_model();
  model.head.scales = {1};
  return model;
}

class HeadAtScale1 : public QuantizedNetwork {
 protected:
  HeadAtScale1() : QuantizedNetwork(narrow_with_its_head_at_scale_1()) {}
};

// Pixels are those of the picture, as batches have them; the map is half as high and wide.
TEST_F(HeadAtScale1, IsAskedAtThePixelsOfItsMap) {
  const auto quantization = quantize_graph(graph_, contract_, pictures_, quick());
  const auto map = integer_logits(quantization, picture(1));
  ASSERT_EQ(map.sizes(), torch::IntArrayRef({1, 256, 16, 32}));
  const auto wanted = map.repeat_interleave(2, 2).repeat_interleave(2, 3)[0].flatten(1).t();
  const auto heads = FakeQuantizedNet(quantization)(picture(1), torch::arange(32 * 64));
  EXPECT_LT(relative_error(heads.integer_logits.detach(), wanted), 0.02);
}

// The logits before their own grids, as run_graph says them, which tests/interop holds against ONNX
// Runtime. Biases are float here and whole multiples there.
TEST_F(FakeQuantizedNetTest, SaysWhatTheQuantizedGraphSays) {
  const auto& graph = quantization_.graph;
  const auto integer = graph::integer_head(graph).front();
  std::vector<torch::Tensor> logits, fraction;
  graph::run_graph(graph, picture(1), graph::output_nodes(graph),
                   [&](graph::NodeId id, const torch::Tensor& value) {
                     if (id == integer) logits.push_back(value);
                     if (id == fraction_conv()) fraction.push_back(value);
                   });
  const auto heads = FakeQuantizedNet(quantization_)(picture(1), all_pixels());
  const auto wanted = torch::cat(logits, 2)[0].flatten(1).t();
  EXPECT_LT(relative_error(heads.integer_logits.detach(), wanted), 0.02);
  EXPECT_LT(relative_error(heads.fraction_logits.detach(), torch::cat(fraction, 2).flatten()),
            0.02);
}

TEST_F(FakeQuantizedNetTest, BeginsWithTheQuantizedFilters) {
  const graph::Graph graph = FakeQuantizedNet(quantization_).quantized();
  for (graph::NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto* conv = std::get_if<graph::Conv>(&graph.node(id).operation);
    if (conv == nullptr) continue;
    const auto& before = std::get<graph::Conv>(quantization_.graph.node(id).operation);
    EXPECT_TRUE(torch::equal(conv->weight, before.weight));
    EXPECT_TRUE(torch::equal(conv->bias, before.bias));
  }
}

TEST_F(FakeQuantizedNetTest, EveryFilterLearns) {
  const FakeQuantizedNet net(quantization_);
  const auto heads = net(picture(0), all_pixels());
  (heads.integer_logits.logsumexp(1).mean() + heads.fraction_logits.mean()).backward();
  for (const auto& [name, parameter] : net.parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_GT(parameter.grad().abs().sum().item<double>(), 0) << name;
  }
}

TEST_F(FakeQuantizedNetTest, StepsBringTheOutputNearerToWhatIsWanted) {
  const FakeQuantizedNet net(quantization_);
  Optimizer optimizer({.lr = 1e-3}, net.parameters());
  const auto wanted = torch::full({32 * 64}, 0.75F);
  const auto loss = [&] {
    return (net(picture(0), all_pixels()).fraction_logits.sigmoid() - wanted).abs().mean();
  };
  const double first = loss().item<double>();
  for (int i = 0; i < 10; ++i) {
    loss().backward();
    optimizer.step(1);
    optimizer.zero_gradients();
  }
  EXPECT_LT(loss().item<double>(), 0.7 * first);
  // The written network holds what was learned.
  const auto graph = net.quantized();
  const auto said = depth_of(graph, contract_)(picture(0)).fraction;
  EXPECT_LT((said - 0.75).abs().mean().item<double>(), 0.7 * first);
}

}  // namespace
}  // namespace dualdepth::quantize
