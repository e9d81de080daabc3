#include <fmt/format.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <memory>

#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/io/mapped_file.h"
#include "dualdepth/model/integer_level_head.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/onnx/lint.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/exported_model.h"
#include "testing/instruction_sets.h"
#include "testing/interop_python.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"
#include "testing/street_picture.h"
#include "testing/temp_folder.h"

// Quantized files in ONNX Runtime and OpenVINO.
namespace dualdepth {
namespace {

using graph::FakeQuantize;
using graph::NodeId;
using graph::Value;

torch::Tensor picture(size_t index) {
  return to_network_picture(testing::street_picture(index), {.size = {64, 96}}).image;
}

// Each profile is quantized once for all tests.
class QuantizedFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { shared_ = std::make_unique<Shared>(); }
  static void TearDownTestSuite() { shared_.reset(); }

  // Centring puts a Relu behind the integer head. Equalization and fitting are left out: they
  // change the filters' values only, not what the file looks like.
  static const quantize::Quantization& quantized(OnnxProfile profile) {
    auto& known = shared_->quantizations[profile];
    if (known == nullptr) {
      quantize::QuantizeOptions options;
      options.profile = profile;
      options.equalize = false;
      options.correct_bias = options.round_adaptively = false;
      options.judged_pictures = 1;
      known = std::make_unique<quantize::Quantization>(
          quantize::quantize_graph(contract_and_graph().graph, contract(), {4, picture}, options));
    }
    return *known;
  }

  static const Contract& contract() { return contract_and_graph().contract; }

  std::filesystem::path written(OnnxProfile profile) const {
    const auto file = folder_ / fmt::format("{}.onnx", enum_name(profile));
    quantize::write_quantized(quantized(profile), contract(), {1, picture}, profile, file);
    return file;
  }

  testing::TempFolder folder_;

 private:
  struct Shared {
    Shared() {
      RunConfig config;
      config.model = testing::narrow_model();
      config.data.image_shape = {64, 96};
      testing::write_random_checkpoint(folder / "checkpoint.safetensors", config);
      model = quantize::open_float_model(folder / "checkpoint.safetensors");
    }
    testing::TempFolder folder;
    quantize::FloatModel model;
    std::map<OnnxProfile, std::unique_ptr<quantize::Quantization>> quantizations;
  };

  static const quantize::FloatModel& contract_and_graph() { return shared_->model; }

  inline static std::unique_ptr<Shared> shared_;
};

// Expects that every convolution that OpenVINO computed in the last run is one in 8 bits.
void expect_8_bits(ExportedModel& model, int convolutions) {
  for (const auto& layer : model.layer_times()) {
    if (layer.kind != "Convolution") continue;
    --convolutions;
    EXPECT_NE(layer.precision.find("I8"), std::string::npos) << layer.name << layer.precision;
  }
  EXPECT_EQ(convolutions, 0) << "more expected";
}

// The integer head is IntegerLevelHead where the CPU has the instructions and LevelHead elsewhere;
// the network's other 31 convolutions, the fraction's among them, are OpenVINO's on any CPU.
TEST_F(QuantizedFiles, OpenVinoComputesEveryConvolutionIn8Bits) {
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kOpenVino, OnnxProfile::kNpu}) {
    SCOPED_TRACE(enum_name(profile));
    const auto model = open_onnx(written(profile), {.profile = true});
    model->run(picture(0));
    expect_8_bits(*model, 31);
  }
}

// LevelHead sums the dequantized values in float32, IntegerLevelHead their codes: the levels are
// equal but where two logits tie up to float32's error.
TEST_F(QuantizedFiles, TheFloatHeadGivesTheLevelsOfTheIntegerHead) {
  if (!IntegerLevelHead::is_supported()) GTEST_SKIP() << "needs a CPU with AVX-512 VNNI";
  const auto file = written(OnnxProfile::kPortable);
  const auto integer = open_onnx(file)->run(picture(0));
  const testing::OnlyInstructionSet only(HWY_AVX2);
  const auto model = open_onnx(file, {.profile = true});
  const auto in_float = model->run(picture(0));
  expect_8_bits(*model, 31);
  const auto equal = in_float.at("level").eq(integer.at("level")).to(torch::kFloat64).mean();
  EXPECT_GT(equal.item<double>(), 0.999);
  const auto difference = (in_float.at("fraction") - integer.at("fraction")).abs().max();
  EXPECT_LE(difference.item<double>(), 1.0 / 256 + 1e-6);  // one code
}

TEST_F(QuantizedFiles, TheFileForTensorRtKeepsItsRules) {
  const auto file = written(OnnxProfile::kTensorRt);
  for (const auto& finding : lint(OnnxFile(file), LintTarget::kTensorRt)) {
    ADD_FAILURE() << finding.node << ": " << finding.rule.name << ": " << finding.got;
  }
}

TEST_F(QuantizedFiles, AreReadAsTheNetworkThatWasWritten) {
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kNpu}) {
    const auto& graph = quantized(profile).graph;
    const auto read = open_graph(written(profile), 64, 96);
    const auto expected = graph::run_graph(graph, picture(7), graph::output_nodes(graph));
    const auto result = graph::run_graph(read, picture(7), graph::output_nodes(read));
    ASSERT_EQ(result.size(), expected.size());
    for (size_t i = 0; i < result.size(); ++i) EXPECT_TRUE(result[i].equal(expected[i]));
  }
}

// What ONNX Runtime computed of one picture: the codes of each FakeQuantize by the node's name, and
// the outputs by theirs. Written by tests/interop/run_quantized.py.
class RuntimeValues {
 public:
  RuntimeValues(const NamedTensors& all, size_t picture) : all_(all), picture_(picture) {}

  // Undefined where the runtime does not compute the value on its own.
  torch::Tensor operator()(const std::string& name) const {
    const auto found = all_.find(fmt::format("{}@{}", name, picture_));
    return found == all_.end() ? torch::Tensor() : found->second;
  }

 private:
  const NamedTensors& all_;
  size_t picture_;
};

// How far from a half, in codes, a value may lie that float32 arithmetic rounds the other way. It
// was 1.5e-5 at most over three pictures and all values of this network on a Xeon with AVX-512.
constexpr double kFloatError = 1e-3;

// What of a graph has to have the same bits in any order of its sums.
enum class Exact { kNothing, kWholeNumbers, kEverything };

// Runs each node on what ONNX Runtime computed for the node's inputs, so that no difference of one
// node reaches the next, and compares its codes with ONNX Runtime's.
class NodeByNode {
 public:
  // kWholeNumbers: ONNX Runtime computes the convolutions in whole numbers.
  NodeByNode(const graph::Graph& graph, Exact exact)
      : graph_(graph), names_(graph::node_names(graph)), exact_(exact) {}

  void compare(const torch::Tensor& image, const RuntimeValues& theirs) {
    std::vector<Value> values(graph_.nodes().size());
    for (NodeId id = 0; id < values.size(); ++id) {
      const auto& node = graph_.node(id);
      if (std::holds_alternative<graph::Input>(node.operation)) {
        values[id] = image;
        continue;
      }
      std::vector<Value> inputs;
      inputs.reserve(node.inputs.size());
      for (const NodeId input : node.inputs) inputs.push_back(values[input]);
      values[id] = graph::run_node(graph_, id, inputs);
      const auto* grid = std::get_if<FakeQuantize>(&node.operation);
      const auto codes = theirs(names_[id]);
      if (grid == nullptr || !codes.defined()) continue;
      compare_codes(names_[id], *grid, inputs[0], values[id].real(), codes);
      values[id] = (codes - grid->zero_point).to(torch::kFloat32) * grid->scale;
      ++compared_;
    }
    for (const auto& output : graph_.outputs()) {
      EXPECT_TRUE(values[output.node].real().eq(theirs(output.name)).all().item<bool>())
          << output.name;
    }
  }

  int compared() const { return compared_; }

 private:
  // value: what the node rounds. Where ONNX Runtime sums in whole numbers, its codes are ours;
  // elsewhere each is the code nearest to the unrounded value, up to kFloatError.
  void compare_codes(const std::string& name, const FakeQuantize& grid, const Value& value,
                     const torch::Tensor& rounded, const torch::Tensor& theirs) const {
    if (exact_ == Exact::kEverything || (exact_ == Exact::kWholeNumbers && value.is_sum())) {
      const auto codes = (rounded / grid.scale).round() + static_cast<double>(grid.zero_point);
      EXPECT_EQ(codes.ne(theirs).sum().item<int64_t>(), 0) << name << " of " << theirs.numel();
      return;
    }
    const auto real = value.is_sum() ? value.sums().to(torch::kFloat64) *
                                           value.step().to(torch::kFloat64).view({1, -1, 1, 1})
                                     : value.real().to(torch::kFloat64);
    const double first = grid.is_signed ? -128 : 0;
    const auto exact =
        (real / static_cast<double>(grid.scale) + static_cast<double>(grid.zero_point))
            .clamp(first, first + 255);
    const double furthest = (exact - theirs).abs().max().item<double>();
    EXPECT_LE(furthest, 0.5 + kFloatError) << name;
  }

  const graph::Graph& graph_;
  std::vector<std::string> names_;
  Exact exact_;
  int compared_ = 0;
};

// Runs a file in ONNX Runtime on some pictures and compares all that it computes with the graph
// that was written. fused: of all its convolutions so many are to run in whole numbers.
void compare_with_onnx_runtime(const graph::Graph& graph, const std::filesystem::path& file,
                               int fused, Exact exact, const std::vector<torch::Tensor>& pictures,
                               int values_at_least) {
  const auto in = std::filesystem::path(file).replace_extension(".pictures.safetensors");
  const auto out = std::filesystem::path(file).replace_extension(".values.safetensors");
  NamedTensors images;
  for (size_t i = 0; i < pictures.size(); ++i) images[fmt::format("image@{}", i)] = pictures[i];
  write_tensors(in, images);
  const auto result =
      testing::run_interop_script("interop/run_quantized.py", in, file, std::to_string(fused), out);
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  const auto theirs = read_tensors(SafetensorsFile(out));
  for (size_t i = 0; i < pictures.size(); ++i) {
    NodeByNode nodes(graph, exact);
    nodes.compare(pictures[i], {theirs, i});
    EXPECT_GE(nodes.compared(), values_at_least);
  }
}

// A network in which every product and sum is a multiple of a power of two that float32 holds
// exactly, so that neither the order of a sum nor fused arithmetic matters, and a good part of the
// values lies halfway between two codes: of the picture's, of a convolution's, of an Add's.
graph::Graph graph_of_halves() {
  torch::manual_seed(11);
  const auto conv = [](int64_t in, int64_t out, double scale) {
    const auto codes = 32 * torch::randint(-3, 4, {out, in, 3, 3});
    return graph::Conv{.weight = codes * scale,
                       .bias = torch::zeros({out}),
                       .padding = {1, 1},
                       .weight_scale = torch::full({1}, scale)};
  };
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 64, 96});
  const auto in = graph.add(FakeQuantize{0x1p-7F, 0, false}, {image}, "in");
  const auto a = graph.add(conv(3, 8, 0x1p-6), {in}, "a");
  const auto a_codes = graph.add(FakeQuantize{0x1p-2F, 128, false}, {a}, "a");
  const auto b = graph.add(conv(8, 8, 0x1p-10), {a_codes}, "b");
  const auto b_codes = graph.add(FakeQuantize{0x1p-3F, 100, false}, {b}, "b");
  const auto sum = graph.add(graph::Add{}, {a_codes, b_codes}, "sum");
  const auto sum_codes = graph.add(FakeQuantize{0x1p-1F, 120, false}, {sum}, "sum");
  const auto head = graph.add(conv(8, 16, 0x1p-8), {sum_codes}, "head");
  const auto head_codes = graph.add(FakeQuantize{0x1p-1F, 90, false}, {head}, "head");
  graph.set_outputs({{"level", graph.add(graph::ArgMax{}, {head_codes}, "head")}});
  return graph;
}

// The share of a FakeQuantize's unsaturated inputs that lie halfway between two codes.
std::map<std::string, double> shares_of_halves(const graph::Graph& graph,
                                               const torch::Tensor& image) {
  std::map<std::string, double> shares;
  std::map<NodeId, torch::Tensor> values;
  graph::run_graph(
      graph, image, graph::output_nodes(graph), [&](NodeId id, const torch::Tensor& value) {
        const auto* grid = std::get_if<FakeQuantize>(&graph.node(id).operation);
        if (grid == nullptr) {
          values[id] = value;
          return;
        }
        const auto& before = values.at(graph.node(id).inputs[0]);
        const auto codes = before / grid->scale + static_cast<double>(grid->zero_point);
        const auto inside = codes.gt(0).logical_and(codes.lt(255));
        const auto half = (codes - codes.floor()).eq(0.5).logical_and(inside);
        shares[graph.node(id).module] = half.sum().item<double>() / inside.sum().item<double>();
      });
  return shares;
}

TEST_F(QuantizedFiles, HalvesRoundToEvenAsInOnnxRuntime) {
  DUALDEPTH_NEEDS_INTEROP();
  const auto graph = graph_of_halves();
  const auto image = torch::randint(0, 257, {1, 3, 64, 96}).to(torch::kFloat32) / 256;
  for (const auto& [name, share] : shares_of_halves(graph, image)) {
    EXPECT_GT(share, 0.01) << name;
  }
  for (const auto& [profile, fused] :
       {std::pair(OnnxProfile::kPortable, 3), std::pair(OnnxProfile::kNpu, 0)}) {
    SCOPED_TRACE(enum_name(profile));
    const auto file = folder_ / fmt::format("halves_{}.onnx", enum_name(profile));
    write_onnx(
        *to_onnx(graph, {.profile = profile, .metadata = {{kContractKey, to_json(contract())}}}),
        file);
    compare_with_onnx_runtime(graph, file, fused, Exact::kEverything, {image}, 5);
  }
}

// ONNX Runtime has no fused convolution for opset 9, and has to leave those of that file as they
// are.
TEST_F(QuantizedFiles, OnnxRuntimeFusesEveryConvolutionAndComputesTheEmulatedCodes) {
  DUALDEPTH_NEEDS_INTEROP();
  const std::vector<torch::Tensor> pictures{picture(4), picture(5), picture(7)};
  for (const auto& [profile, fused] :
       {std::pair(OnnxProfile::kPortable, 32), std::pair(OnnxProfile::kNpu, 0)}) {
    SCOPED_TRACE(enum_name(profile));
    const Exact exact = fused > 0 ? Exact::kWholeNumbers : Exact::kNothing;
    compare_with_onnx_runtime(quantized(profile).graph, written(profile), fused, exact, pictures,
                              40);
  }
}

}  // namespace
}  // namespace dualdepth
