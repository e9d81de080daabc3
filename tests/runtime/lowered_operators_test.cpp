// Every operator of the table, lowered to OpenVINO, against its float kernel.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <set>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {
namespace {

using namespace graph;  // NOLINT(google-build-using-namespace): the operators, one each

constexpr int64_t kChannels = 6;

torch::Tensor weights(const std::vector<int64_t>& sizes) { return 0.4 * torch::randn(sizes); }

// One operation over `values`, which are made of the picture [1, 6, 8, 10] by known operations.
struct OneOperation {
  Operation operation;
  std::vector<std::string> inputs{"x"};
};

class LoweredOperators : public ::testing::Test {
 protected:
  LoweredOperators() {
    torch::manual_seed(3);
    x_ = 2 * torch::randn({1, kChannels, 8, 10});
  }

  static Conv conv(int64_t groups, Pair stride, Pair padding, Pair dilation) {
    return {.weight = weights({12, kChannels / groups, 3, 2}),
            .bias = weights({12}),
            .stride = stride,
            .padding = padding,
            .dilation = dilation,
            .groups = groups};
  }

  static NodeId value_named(Graph& graph, NodeId x, const std::string& name) {
    if (name == "x") return x;
    if (name == "positive") {
      return graph.add(Affine{torch::ones({kChannels}), torch::full({kChannels}, 0.5F)},
                       {graph.add(Unary{UnaryFunction::kAbs}, {x}, "")}, "");
    }
    if (name == "column") return graph.add(Reduce{ReduceFunction::kMean, {2, 3}}, {x}, "");
    if (name == "transposed") return graph.add(Transpose{{0, 1, 3, 2}}, {x}, "");
    if (name == "fraction") {
      const auto sum = graph.add(Reduce{ReduceFunction::kMean, {1}}, {x}, "");
      return graph.add(Sigmoid{}, {sum}, "");
    }
    if (name == "level") return graph.add(ArgMax{}, {x}, "");
    throw std::invalid_argument(name);
  }

  // Both compute the same numbers, of the same type and sizes.
  void expect_same(const OneOperation& one, double tolerance = 2e-5) {
    Graph graph;
    const auto x = graph.add_input("x", x_.sizes().vec());
    std::vector<NodeId> inputs;
    inputs.reserve(one.inputs.size());
    for (const auto& name : one.inputs) inputs.push_back(value_named(graph, x, name));
    const auto id = graph.add(one.operation, inputs, "tested");
    graph.set_outputs({{"y", id}});
    const std::string name(kind_name(one.operation));
    const auto expected = run_graph(graph, x_, std::array{id})[0];
    const auto got = open_lowered(graph, {})->run(x_).at("y");
    ASSERT_EQ(got.sizes(), expected.sizes()) << name;
    EXPECT_EQ(got.scalar_type(), expected.scalar_type()) << name;
    const auto difference = (got.to(torch::kFloat64) - expected.to(torch::kFloat64)).abs();
    EXPECT_TRUE(difference.le(tolerance).all().item<bool>())
        << name << " differs by " << difference.max().item<double>();
    tested_.insert(one.operation.index());
  }

  torch::Tensor x_;
  std::set<size_t> tested_;
};

TEST_F(LoweredOperators, ComputeWhatTheirKernelsCompute) {
  const auto each = [](float first, float last) { return torch::linspace(first, last, kChannels); };
  expect_same({Affine{each(-1, 2), each(3, -1)}});
  expect_same({conv(1, {2, 1}, {1, 0}, {1, 2})});
  expect_same({conv(2, {1, 1}, {1, 1}, {1, 1})});
  expect_same({conv(kChannels, {2, 2}, {1, 1}, {2, 1})});
  expect_same({Relu{}});
  expect_same({Sigmoid{}});
  expect_same({Add{}, {"x", "column"}});
  expect_same({MaxPool{{3, 3}, {2, 2}, {1, 1}}});
  expect_same({MaxPool{{2, 3}, {1, 1}, {1, 1}, {2, 2}}});
  expect_same({Upsample{3}});
  expect_same({Concat{}, {"x", "x"}});
  expect_same({Concat{2}, {"x", "positive"}});
  expect_same({ArgMax{}});
  expect_same({FakeQuantize{.scale = 0.03125F, .zero_point = 100}}, 0.0313);
  expect_same({Constant{each(0, 1)}, {}});
  expect_same({ConvTranspose{.weight = weights({kChannels, 5, 3, 2}),
                             .bias = weights({5}),
                             .stride = {2, 1},
                             .padding = {1, 0},
                             .output_padding = {1, 0}}});
  expect_same({ConvTranspose{.weight = weights({kChannels, 2, 2, 2}),
                             .bias = weights({6}),
                             .stride = {2, 2},
                             .groups = 3}});
  expect_same({Linear{weights({7, 10}), weights({7})}});
  expect_same({MatMul{}, {"x", "transposed"}}, 1e-4);
  for (const auto function : {BinaryFunction::kMul, BinaryFunction::kSub, BinaryFunction::kDiv,
                              BinaryFunction::kMin, BinaryFunction::kMax}) {
    expect_same({Binary{function}, {"x", "positive"}});
  }
  expect_same({Binary{BinaryFunction::kMul}, {"x", "column"}});
  expect_same({Binary{BinaryFunction::kPow}, {"positive", "column"}}, 1e-4);
  for (int i = 0; i <= static_cast<int>(UnaryFunction::kMish); ++i) {
    const auto function = static_cast<UnaryFunction>(i);
    const bool positive = function == UnaryFunction::kLog || function == UnaryFunction::kSqrt ||
                          function == UnaryFunction::kReciprocal;
    // exp(8) is about 3000.
    const double tolerance = function == UnaryFunction::kExp ? 2e-3 : 2e-5;
    expect_same({Unary{function}, {positive ? "positive" : "x"}}, tolerance);
  }
  expect_same({Clip{-0.5F, 1.5F}});
  expect_same({HardSigmoid{0.25F, 0.4F}});
  expect_same({LeakyRelu{0.2F}});
  expect_same({PRelu{each(-0.2F, 0.5F).view({kChannels, 1, 1})}});
  expect_same({Softmax{1}});
  expect_same({Softmax{3}});
  expect_same({AveragePool{{3, 3}, {2, 2}, {1, 1}}});
  expect_same({AveragePool{{3, 3}, {2, 2}, {1, 1}, AveragePool::Padding::kCountedAsZero}});
  for (const auto function :
       {ReduceFunction::kMean, ReduceFunction::kSum, ReduceFunction::kMax, ReduceFunction::kMin}) {
    expect_same({Reduce{function, {2, 3}}}, 1e-4);
    expect_same({Reduce{function, {1}}}, 1e-4);
  }
  expect_same({Pad{.before = {0, 0, 1, 2}, .after = {0, 0, 3, 0}, .value = -1}});
  expect_same({Pad{.before = {0, 0, 1, 2}, .after = {0, 0, 3, 0}, .mode = Pad::Mode::kEdge}});
  expect_same({Pad{.before = {0, 0, 1, 2}, .after = {0, 0, 3, 0}, .mode = Pad::Mode::kReflect}});
  expect_same({Slice{{1, 3}, {1, -2}, {kChannels, -9}, {2, -1}}});
  expect_same({Transpose{{0, 2, 3, 1}}});
  expect_same({Reshape{{0, -1, 20}}});
  expect_same({Squeeze{{2, 3}}, {"column"}});
  expect_same({Unsqueeze{{1, 3}}});
  expect_same({Expand{{2, kChannels, 4, 1}}, {"column"}});
  expect_same({Gather{1, torch::tensor({4, 0, -1}, torch::kInt64)}});
  expect_same({Cast{torch::kInt32}});
  for (const auto interpolation : {Interpolation::kNearest, Interpolation::kLinear}) {
    for (const auto coordinates : {Coordinates::kHalfPixel, Coordinates::kHalfPixelOrZero,
                                   Coordinates::kAsymmetric, Coordinates::kAlignedCorners}) {
      expect_same({Resize{
          .interpolation = interpolation, .coordinates = coordinates, .factors = {2.5F, 0.5F}}});
      expect_same({Resize{
          .interpolation = interpolation, .coordinates = coordinates, .sizes = Pair{11, 7}}});
    }
  }
  CodecOptions options{.n_integer_levels = kChannels};
  for (const auto codec : {CodecKind::kReflected, CodecKind::kStep, CodecKind::kRounded}) {
    options.codec = codec;
    expect_same({ComposeDepth{HeadKind::kCategorical, options}, {"level", "fraction"}}, 1e-3);
  }
  const std::set<size_t> elsewhere{Operation(Input{}).index(), Operation(Foreign{}).index()};
  for (size_t kind = 0; kind < std::variant_size_v<Operation>; ++kind) {
    EXPECT_TRUE(tested_.contains(kind) || elsewhere.contains(kind))
        << "no test of alternative " << kind << " of Operation";
  }
}

}  // namespace
}  // namespace dualdepth
