#include "dualdepth/quantize/layer_proof.h"

#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/onnx/onnx_writer.h"

// What a runtime says is written by hand here, and wrong in one way a test.
namespace dualdepth::quantize {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;
using graph::Pictures;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int64_t kHeight = 40, kWidth = 100;

// A picture of the values 0, 0.5, 1 and 1.5, of which the grid of step 0.5 makes 0 to 3.
torch::Tensor codes_in() {
  return torch::arange(kHeight * kWidth).remainder(4).view({1, 1, kHeight, kWidth});
}

Pictures pictures(size_t count) {
  return {count, [](size_t) { return 0.5 * codes_in().to(torch::kFloat32); }};
}

class ToldValues : public ExportedModel {
 public:
  explicit ToldValues(std::function<NamedTensors()> values) : values_(std::move(values)) {}
  NamedTensors run(const torch::Tensor&) override { return values_(); }
  const Contract& contract() const override { return contract_; }

 private:
  std::function<NamedTensors()> values_;
  Contract contract_;
};

// Two filters, 3 * 0.25 and -2 * 0.25. With step 0.25 and zero point 10 the values before rounding
// are, in codes, of the pixels 0, 0.5, 1, 1.5:
//
//   channel 0   10, 11.5, 13, 14.5       codes 10, 12, 13, 14 (half to even)
//   channel 1   10, 9, 8, 7
//
// Behind them the level (the greater one, the first where both are 10: always 0) and the depth
// 2 x + 1, of channel 0: 1, 2, 2.5, 3; of channel 1: 1, 0.5, 0, -0.5.
class HandMadeLayer : public ::testing::Test {
 protected:
  HandMadeLayer() {
    const auto image = graph_.add_input("image", {1, 1, kHeight, kWidth});
    const auto in = graph_.add(FakeQuantize{0.5F, 0, false}, {image}, "in");
    const graph::Conv conv{.weight = torch::tensor({0.75F, -0.5F}).view({2, 1, 1, 1}),
                           .bias = torch::zeros({2}),
                           .weight_scale = torch::tensor({0.25F})};
    const auto sums = graph_.add(conv, {in}, "conv");
    const auto codes = graph_.add(FakeQuantize{0.25F, 10, false}, {sums}, "conv");
    const auto level = graph_.add(graph::ArgMax{}, {codes}, "level");
    const auto depth =
        graph_.add(graph::Affine{torch::full({2}, 2.F), torch::full({2}, 1.F)}, {codes}, "depth");
    graph_.set_outputs({{"level", level}, {"depth", depth}});
    names_ = file_values(graph_, value_names(graph_), *to_onnx(graph_, {}), "q.onnx");
    in_ = names_.codes.at(in);
    out_ = names_.codes.at(codes);
  }

  NamedTensors right() const {
    const auto pick = [](std::vector<double> of_code) {
      return torch::tensor(of_code).index({codes_in()}).to(torch::kFloat32);
    };
    return {{in_, codes_in().to(torch::kUInt8)},
            {out_, torch::cat({pick({10, 12, 13, 14}), pick({10, 9, 8, 7})}, 1).to(torch::kUInt8)},
            {"level", torch::zeros({1, 1, kHeight, kWidth}, torch::kInt64)},
            {"depth", torch::cat({pick({1, 2, 2.5, 3}), pick({1, 0.5, 0, -0.5})}, 1)}};
  }

  // change: of what the runtime says of a picture.
  void prove(const std::function<void(NamedTensors& values, size_t picture)>& change,
             size_t count = 1) {
    size_t picture = 0;
    const auto open = [&](const std::vector<std::string>& exposed) {
      EXPECT_THAT(exposed, ::testing::UnorderedElementsAre(in_, out_));
      return std::make_unique<ToldValues>([&] {
        auto values = right();
        change(values, picture++);
        return values;
      });
    };
    prove_layers(graph_, names_, open, pictures(count), "q.onnx");
  }

  Graph graph_;
  FileValues names_;
  std::string in_, out_;  // codes of the picture and of the layer
};

// The depth that goes with the codes is told, too: it is computed from them.
void round_halves_down(NamedTensors& values, const std::string& out) {
  auto first = values[out][0][0];
  auto depth = values["depth"][0][0];
  const auto half = first.eq(12);
  first.masked_fill_(half, 11);
  depth.masked_fill_(half, 1.5);
}

TEST_F(HandMadeLayer, Holds) {
  EXPECT_NO_THROW(prove([](NamedTensors&, size_t) {}, 2));
}

TEST_F(HandMadeLayer, AHalfMayGoEitherWay) {
  EXPECT_NO_THROW(prove([&](NamedTensors& values, size_t) { round_halves_down(values, out_); }));
}

TEST_F(HandMadeLayer, RefusesAPictureThatIsReadAsOtherCodes) {
  EXPECT_THAT(
      [&] { prove([&](NamedTensors& values, size_t) { values[in_] = values[in_].flip({3}); }); },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr("/in/FakeQuantize_output_0"))));
}

// 0.0625 % of the layer, 0.125 % of the channel: what one wrong filter does.
TEST_F(HandMadeLayer, RefusesMoreThanOneInAThousandOfAChannel) {
  const auto change = [&](int64_t count) {
    return [this, count](NamedTensors& values, size_t picture) {
      if (picture == 0) return;
      // Pixels of code 3, whose level stays 0.
      values[out_][0][1].flatten().slice(0, 3, 4 * count, 4) += 1;
      values["depth"][0][1].flatten().slice(0, 3, 4 * count, 4) += 0.5;
    };
  };
  EXPECT_THAT([&] { prove(change(9), 2); },
              ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx, layer /conv/FakeQuantize_output_0"),
                                         HasSubstr("99.90 %"), HasSubstr("channel 1"),
                                         HasSubstr("99.88"), HasSubstr("picture 2 of 2"))));
  EXPECT_NO_THROW(prove(change(8), 2));
}

TEST_F(HandMadeLayer, RefusesOneCodeThatIsOffByTwo) {
  EXPECT_THAT([&] { prove([&](NamedTensors& values, size_t) { values[out_][0][0][3][5] += 2; }); },
              ThrowsMessage<Error>(HasSubstr("1 off by more than one code")));
}

TEST_F(HandMadeLayer, RefusesShiftedLevels) {
  EXPECT_THAT([&] { prove([](NamedTensors& values, size_t) { values["level"] += 1; }); },
              ThrowsMessage<Error>(AllOf(HasSubstr("layer level"), HasSubstr("99.99 %"))));
}

TEST_F(HandMadeLayer, RefusesNanInOnePixel) {
  EXPECT_THAT(
      [&] {
        prove([](NamedTensors& values, size_t) {
          values["depth"][0][0][3][5] = std::numeric_limits<float>::quiet_NaN();
        });
      },
      ThrowsMessage<Error>(HasSubstr("layer depth")));
}

// The greatest value is 3: 0.0003 are allowed.
TEST_F(HandMadeLayer, RefusesADepthThatIsOutOfTolerance) {
  const auto change = [](double by) {
    return [by](NamedTensors& values, size_t) { values["depth"][0][1][3][5] += by; };
  };
  EXPECT_NO_THROW(prove(change(0.00025)));
  EXPECT_THAT([&] { prove(change(0.0004)); }, ThrowsMessage<Error>(HasSubstr("layer depth")));
}

TEST_F(HandMadeLayer, RefusesAValueThatTheRuntimeDoesNotReturn) {
  EXPECT_THAT([&] { prove([&](NamedTensors& values, size_t) { values.erase(out_); }); },
              ThrowsMessage<Error>(AllOf(HasSubstr(out_), HasSubstr("1x2x40x100"))));
}

TEST_F(HandMadeLayer, IsProvenInSeveralRunsWhereItIsLarge) {
  int opened = 0;
  bool shifted = false;
  const auto open = [&](const std::vector<std::string>& exposed) {
    ++opened;
    return std::make_unique<ToldValues>([this, exposed, &shifted] {
      auto values = right();
      if (shifted) values["level"] += 1;
      for (const auto& name : {in_, out_}) {
        if (std::ranges::count(exposed, name) == 0) values.erase(name);
      }
      return values;
    });
  };
  const auto prove = [&] { prove_layers(graph_, names_, open, pictures(1), "q.onnx", 1); };
  prove();
  EXPECT_EQ(opened, 4);  // two grids, the level and the depth
  shifted = true;
  EXPECT_THAT(prove, ThrowsMessage<Error>(HasSubstr("layer level")));
}

TEST_F(HandMadeLayer, IsProvenInBatches) {
  const auto both = graph::with_batch(graph_, 2);
  int runs = 0;
  const auto open = [&](const std::vector<std::string>&) {
    return std::make_unique<ToldValues>([&] {
      NamedTensors values;
      for (const auto& [name, value] : right()) values[name] = torch::cat({value, value});
      if (++runs == 2) values[out_][0][1] += 1;
      return values;
    });
  };
  const auto prove = [&] {
    runs = 0;
    prove_layers(both, names_, open, pictures(3), "q.onnx");
  };
  EXPECT_THAT(prove,
              ThrowsMessage<Error>(AllOf(HasSubstr("layer /conv"), HasSubstr("picture 3 of 3"))));
  EXPECT_EQ(runs, 2);
}

// Logits without codes: 0.75, 0.75 and -0.5 times the picture.
TEST(LevelOfFloatLogits, MayBeEitherOfTwoThatTie) {
  Graph graph;
  const auto image = graph.add_input("image", {1, 1, kHeight, kWidth});
  const auto in = graph.add(FakeQuantize{0.5F, 0, false}, {image}, "in");
  const graph::Conv conv{.weight = torch::tensor({0.75F, 0.75F, -0.5F}).view({3, 1, 1, 1}),
                         .bias = torch::tensor({0.F, 0.F, -1.F})};
  const auto logits = graph.add(conv, {in}, "conv");
  graph.set_outputs({{"level", graph.add(graph::ArgMax{}, {logits}, "level")}});
  const auto names = file_values(graph, value_names(graph), *to_onnx(graph, {}), "q.onnx");
  const auto prove = [&](int64_t level) {
    const auto open = [&](const std::vector<std::string>&) {
      return std::make_unique<ToldValues>([&, level] {
        return NamedTensors{{names.codes.at(in), codes_in().to(torch::kUInt8)},
                            {"level", torch::full({1, 1, kHeight, kWidth}, level)}};
      });
    };
    prove_layers(graph, names, open, pictures(1), "q.onnx");
  };
  EXPECT_NO_THROW(prove(0));
  EXPECT_NO_THROW(prove(1));
  EXPECT_THAT([&] { prove(2); }, ThrowsMessage<Error>(HasSubstr("layer level")));
}

}  // namespace
}  // namespace dualdepth::quantize
