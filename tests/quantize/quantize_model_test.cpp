#include "dualdepth/quantize/quantize_model.h"

#include <gmock/gmock.h>

#include <functional>
#include <limits>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/patterns.h"
#include "quantized_network.h"
#include "testing/temp_folder.h"

// The gates of quantize's proof, each with a file that is wrong in one way.
namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Returns the quantized graph's outputs after `change`.
class ChangedFile : public ExportedModel {
 public:
  using Change = std::function<void(NamedTensors& outputs)>;

  ChangedFile(const graph::Graph& graph, Contract contract, Change change)
      : graph_(graph), contract_(std::move(contract)), change_(std::move(change)) {}

  NamedTensors run(const torch::Tensor& image) override {
    const auto values = graph::run_graph(graph_, image, graph::output_nodes(graph_));
    NamedTensors outputs;
    for (size_t i = 0; i < values.size(); ++i) {
      outputs[graph_.outputs()[i].name] = values[i].clone();
    }
    change_(outputs);
    return outputs;
  }

  const Contract& contract() const override { return contract_; }

 private:
  const graph::Graph& graph_;
  Contract contract_;
  Change change_;
};

class QuantizedFileProof : public QuantizedNetwork {
 protected:
  QuantizedFileProof() {
    QuantizeOptions options = quick();
    options.center = false;
    options.equalize = false;
    options.correct_bias = false;
    quantization_ = quantize_graph(graph_, contract_, pictures_, options);
  }

  DepthError check(const ChangedFile::Change& change) {
    ChangedFile file(quantization_.graph, contract_, change);
    return check_quantized(quantization_, contract_, file, {1, picture}, "q.onnx");
  }

  Quantization quantization_;
  testing::TempFolder folder_;
};

TEST_F(QuantizedFileProof, HoldsForTheQuantizedGraphsOwnResult) {
  EXPECT_GT(check([](NamedTensors&) {}).equal_levels, 0);
}

TEST_F(QuantizedFileProof, RefusesNanInOnePixel) {
  EXPECT_THAT(
      [&] {
        check([](NamedTensors& outputs) {
          outputs["fraction"][0][0][3][5] = std::numeric_limits<float>::quiet_NaN();
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr("finite depth"))));
}

TEST_F(QuantizedFileProof, RefusesLevelsThatAreNotTheQuantizedGraphs) {
  EXPECT_THAT(
      [&] { check([](NamedTensors& outputs) { outputs["level"] = outputs["level"].flip({3}); }); },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr("depth that differs"))));
}

// The head's bias so low that every logit lies below the lowest code.
TEST_F(QuantizedFileProof, RefusesClippedWinnersAndLeavesNoFile) {
  const auto head = graph::integer_head(quantization_.graph);
  auto conv = std::get<graph::Conv>(quantization_.graph.node(head.front()).operation);
  conv.bias = conv.bias - 1e4;
  quantization_.graph.replace(head.front(), conv);
  EXPECT_THAT(
      [&] {
        write_quantized(quantization_, contract_, {1, picture}, OnnxProfile::kPortable,
                        folder_ / "q.onnx");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr("2048 pixels"))));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(QuantizedFileProof, WritesTheFileThatHolds) {
  const auto result = write_quantized(quantization_, contract_, {1, picture},
                                      OnnxProfile::kTensorRt, folder_ / "q.onnx");
  EXPECT_EQ(result.bytes, std::filesystem::file_size(folder_ / "q.onnx"));
}

}  // namespace
}  // namespace dualdepth::quantize
