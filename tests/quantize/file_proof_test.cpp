#include "dualdepth/quantize/file_proof.h"

#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/quantize/layer_proof.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/runtime/onnx_contract.h"
#include "quantized_network.h"
#include "testing/temp_folder.h"

// Files in OpenVINO, each wrong in one way.
namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::array kProfiles{OnnxProfile::kPortable, OnnxProfile::kOpenVino, OnnxProfile::kNpu,
                               OnnxProfile::kTensorRt};

// One number of an initializer.
template <class T>
void change_one(onnx::ModelProto& model, const std::string& name, const std::function<T(T)>& change,
                size_t index = 0) {
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.name() != name) continue;
    T value;
    const size_t begin = index * sizeof(T);
    ASSERT_GE(tensor.raw_data().size(), begin + sizeof(T));
    std::memcpy(&value, tensor.raw_data().data() + begin, sizeof(T));
    value = change(value);
    std::memcpy(tensor.mutable_raw_data()->data() + begin, &value, sizeof(T));
    return;
  }
  FAIL() << "no initializer " << name;
}

class QuantizedFileProof : public QuantizedNetwork {
 protected:
  static void TearDownTestSuite() { quantizations_.clear(); }

  // Each profile is quantized once for all tests; `openvino` is `portable` but for its file.
  const Quantization& quantized(OnnxProfile profile) const {
    if (profile == OnnxProfile::kOpenVino) profile = OnnxProfile::kPortable;
    auto& known = quantizations_[profile];
    if (known == nullptr) {
      QuantizeOptions options = quick();
      options.profile = profile;
      options.center = options.equalize = options.correct_bias = false;
      known = std::make_unique<Quantization>(quantize_graph(graph_, contract_, pictures_, options));
    }
    return *known;
  }

  using Change = std::function<void(onnx::ModelProto& model)>;

  std::filesystem::path written(const graph::Graph& graph, OnnxProfile profile,
                                const Change& change) const {
    const auto model =
        to_onnx(graph, {.profile = profile, .metadata = {{kContractKey, to_json(contract_)}}});
    change(*model);
    const auto file = folder_ / "q.onnx";
    write_onnx(*model, file);
    return file;
  }

  // The layers of the changed file as OpenVINO computes them.
  void prove_changed(const Change& change, int64_t values_at_once = kValuesAtOnce) const {
    const auto& quantization = quantized(OnnxProfile::kPortable);
    const auto file = written(quantization.graph, OnnxProfile::kPortable, change);
    const auto names = file_values(quantization.graph, value_names(quantization.graph),
                                   OnnxFile(file).model(), "q.onnx");
    prove_layers(
        quantization.graph, names,
        [&](const std::vector<std::string>& exposed) {
          return open_onnx(file, {.as_written = true, .exposed = exposed});
        },
        {1, picture}, "q.onnx", values_at_once);
  }

  void expect_refused(const Change& change, const char* layer) const {
    EXPECT_THAT([&] { prove_changed(change); },
                ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr(layer))));
  }

  testing::TempFolder folder_;

 private:
  inline static std::map<OnnxProfile, std::unique_ptr<Quantization>> quantizations_;
};

constexpr size_t kChannel = 3;  // one that its Relu lets through
constexpr const char* kFirstLayer = "layer /encoder/layer1/0/FakeQuantize_output_0";

TEST_F(QuantizedFileProof, HoldsForEveryProfile) {
  for (const auto profile : kProfiles) {
    SCOPED_TRACE(enum_name(profile));
    const auto result =
        write_quantized(quantized(profile), contract_, {2, picture}, profile, folder_ / "q.onnx");
    EXPECT_EQ(result.bytes, std::filesystem::file_size(folder_ / "q.onnx"));
    EXPECT_GT(result.error.equal_levels, 0);
  }
}

TEST_F(QuantizedFileProof, ConvolutionsStayIn8BitsWhileTheirCodesAreRead) {
  for (const auto profile : kProfiles) {
    SCOPED_TRACE(enum_name(profile));
    const auto& quantization = quantized(profile);
    const auto file = written(quantization.graph, profile, [](onnx::ModelProto&) {});
    const auto names = file_values(quantization.graph, value_names(quantization.graph),
                                   OnnxFile(file).model(), "q.onnx");
    std::vector<std::string> codes;
    for (const auto& name : names.codes) {
      if (!name.empty()) codes.push_back(name);
    }
    const auto model = open_onnx(file, {.profile = true, .as_written = true, .exposed = codes});
    const auto values = model->run(picture(0));
    for (const auto& name : codes) EXPECT_EQ(values.at(name).element_size(), 1) << name;
    int convolutions = 0;
    for (const auto& layer : model->layer_times()) {
      if (layer.kind != "Convolution") continue;
      ++convolutions;
      // OpenVINO calls uint8 I8.
      EXPECT_THAT(layer.precision, AnyOf(HasSubstr("I8"), HasSubstr("i8"))) << layer.name;
    }
    EXPECT_EQ(convolutions, 32);
  }
}

TEST_F(QuantizedFileProof, HoldsForTheFileAsItWasWritten) {
  EXPECT_NO_THROW(prove_changed([](onnx::ModelProto&) {}));
}

// The network has some 700,000 values.
TEST_F(QuantizedFileProof, HoldsInSeveralRuns) {
  EXPECT_NO_THROW(prove_changed([](onnx::ModelProto&) {}, 100'000));
}

TEST_F(QuantizedFileProof, RefusesAFileWithOneOtherFilterCode) {
  expect_refused(
      [](onnx::ModelProto& model) {
        change_one<int8_t>(model, "encoder.layer1.0.conv1.weight_quantized",
                           [](int8_t code) { return code > 0 ? code - 20 : code + 20; });
      },
      kFirstLayer);
}

TEST_F(QuantizedFileProof, RefusesAFileWithOneOtherBias) {
  expect_refused(
      [](onnx::ModelProto& model) {
        change_one<int32_t>(
            model, "encoder.layer1.0.conv1.bias_quantized", [](int32_t sum) { return sum + 200; },
            kChannel);
      },
      kFirstLayer);
}

TEST_F(QuantizedFileProof, RefusesAFileWithOneOtherScaleOfFilters) {
  expect_refused(
      [](onnx::ModelProto& model) {
        change_one<float>(
            model, "encoder.layer1.0.conv1.weight_scale", [](float scale) { return 1.01F * scale; },
            kChannel);
      },
      kFirstLayer);
}

TEST_F(QuantizedFileProof, RefusesAFileWithOneOtherScaleOfAValue) {
  expect_refused(
      [](onnx::ModelProto& model) {
        change_one<float>(model, "encoder/layer1/0/FakeQuantize.scale",
                          [](float scale) { return 1.01F * scale; });
      },
      kFirstLayer);
}

TEST_F(QuantizedFileProof, RefusesAFileWithOneOtherZeroPoint) {
  expect_refused(
      [](onnx::ModelProto& model) {
        change_one<uint8_t>(model, "encoder/layer1/0/FakeQuantize.zero_point",
                            [](uint8_t code) { return code + 1; });
      },
      kFirstLayer);
}

// The head's bias so low that every logit lies below the lowest code.
TEST_F(QuantizedFileProof, RefusesClippedWinnersAndLeavesNoFile) {
  auto quantization = quantized(OnnxProfile::kPortable);
  const auto head = graph::integer_head(quantization.graph);
  auto conv = std::get<graph::Conv>(quantization.graph.node(head.front()).operation);
  conv.bias = conv.bias - 1e4;
  quantization.graph.replace(head.front(), conv);
  EXPECT_THAT(
      [&] {
        write_quantized(quantization, contract_, {1, picture}, OnnxProfile::kPortable,
                        folder_ / "q.onnx");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr("2048 pixels"))));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

// The whole proof, of a file that is another network than the one that it is held to.
TEST_F(QuantizedFileProof, RefusesTheFileOfAnotherNetwork) {
  auto quantization = quantized(OnnxProfile::kPortable);
  const auto file = written(quantization.graph, OnnxProfile::kPortable, [](onnx::ModelProto&) {});
  const auto head = graph::integer_head(quantization.graph);
  auto conv = std::get<graph::Conv>(quantization.graph.node(head.front()).operation);
  conv.weight = conv.weight.flip({0});
  conv.weight_scale = conv.weight_scale.flip({0});
  conv.bias = conv.bias.flip({0});
  quantization.graph.replace(head.front(), conv);
  EXPECT_THAT(
      [&] {
        prove_file(quantization, contract_, file, value_names(quantization.graph), {1, picture},
                   "q.onnx");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("q.onnx"), HasSubstr("read back"))));
}

// Between two grids, with filters in float: OpenVINO computes it in float, as the file says.
TEST(ATransposedConvolutionInFloat, IsProvenInOpenVino) {
  torch::manual_seed(3);
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 16, 24});
  const auto in = graph.add(graph::FakeQuantize{1.0F / 255, 0, false}, {image}, "in");
  const graph::ConvTranspose up{.weight = torch::randn({3, 8, 4, 4}),
                                .bias = torch::randn({8}),
                                .stride = {2, 2},
                                .padding = {1, 1}};
  const auto codes =
      graph.add(graph::FakeQuantize{0.02F, 128, false}, {graph.add(up, {in}, "up")}, "up");
  graph.set_outputs({{"depth", codes}});
  const testing::TempFolder folder;
  const auto file = folder / "up.onnx";
  Contract contract;
  contract.input.size = {16, 24};
  contract.outputs = {{.name = "depth", .is = OutputKind::kDepth}};
  write_onnx(*to_onnx(graph, {.metadata = {{kContractKey, to_json(contract)}}}), file);
  const Pictures pictures{2, [](size_t) { return torch::rand({1, 3, 16, 24}); }};
  const auto prove = [&](const graph::Graph& expected) {
    const auto names =
        file_values(expected, value_names(expected), OnnxFile(file).model(), "up.onnx");
    prove_layers(
        expected, names,
        [&](const std::vector<std::string>& exposed) {
          return open_onnx(file, {.as_written = true, .exposed = exposed});
        },
        pictures, "up.onnx");
  };
  EXPECT_NO_THROW(prove(graph));
  auto in_8_bits = graph;
  auto rounded = up;
  const double step = up.weight.abs().max().item<double>() / 127;
  rounded.weight = (up.weight / step).round() * step;
  in_8_bits.replace(graph.node(codes).inputs[0], rounded);
  EXPECT_THAT([&] { prove(in_8_bits); }, ThrowsMessage<Error>(HasSubstr("layer depth")));
}

}  // namespace
}  // namespace dualdepth::quantize
