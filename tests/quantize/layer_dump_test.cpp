#include "dualdepth/quantize/layer_dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>

#include "dualdepth/base/error.h"
#include "testing/file_size_limit.h"
#include "testing/folder_contents.h"
#include "testing/temp_folder.h"

namespace dualdepth::quantize {
namespace {

using graph::FakeQuantize;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// image -> codes of 1/4 -> conv a (3 c0) -> Relu -> codes of 1/2 -> MaxPool -> conv b -> Sigmoid
graph::Graph small_graph() {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 4, 4});
  const auto in = graph.add(FakeQuantize{0.25F, 0, false}, {image}, "in");
  const auto weight = torch::tensor({3.F, 0.F, 0.F}).view({1, 3, 1, 1});
  const auto a =
      graph.add(graph::Conv{.weight = weight, .bias = torch::full({1}, -1.F)}, {in}, "a");
  const auto relu = graph.add(graph::Relu{}, {a}, "a");
  const auto a_codes = graph.add(FakeQuantize{0.5F, 3, true}, {relu}, "a");
  const auto pool = graph.add(graph::MaxPool{{2, 2}, {2, 2}, {0, 0}}, {a_codes}, "pool");
  const auto b = graph.add(
      graph::Conv{.weight = torch::ones({1, 1, 1, 1}), .bias = torch::zeros({1})}, {pool}, "b");
  graph.set_outputs({{"depth", graph.add(graph::Sigmoid{}, {b}, "b")}});
  return graph;
}

const std::vector<std::string> kNames{"image",   "in_codes", "a/Conv", "a/Relu",
                                      "a_codes", "pool",     "b/Conv", "depth"};

// Picture 0: 0, 1/16 ... of channel 0; picture 1: all 1.
torch::Tensor picture_of(size_t index) {
  if (index == 1) return torch::ones({1, 3, 4, 4});
  return torch::arange(48).view({1, 3, 4, 4}).to(torch::kFloat32) / 16;
}

std::vector<double> values_of(const LayerDump& dump, const DumpedValue& value) {
  const NpyFile file(dump.folder / value.file);
  std::vector<double> values(file.count());
  to_doubles(file.type(), file.data(), values);
  return values;
}

class WriteLayerDump : public ::testing::Test {
 protected:
  bool write() const {
    return write_layer_dump(small_graph(), kNames, {2, picture_of}, "q.onnx", folder_ / "dump");
  }
  LayerDump read() const { return read_layer_dump(folder_ / "dump"); }

  testing::TempFolder folder_;
};

TEST_F(WriteLayerDump, NamesTheLayersInNetworkOrderAndLeavesOutWhatIsFused) {
  ASSERT_TRUE(write());
  const auto dump = read();
  EXPECT_EQ(dump.model, "q.onnx");
  EXPECT_EQ(dump.pictures, 2);
  EXPECT_EQ(dump.input.name, "image");
  EXPECT_EQ(dump.input.type, NpyType::kFloat32);
  EXPECT_THAT(dump.input.shape, ElementsAre(2, 3, 4, 4));
  std::vector<std::string> names, operators;
  for (const auto& layer : dump.layers) {
    names.push_back(layer.name);
    operators.push_back(layer.operation);
  }
  EXPECT_THAT(names, ElementsAre("in_codes", "a_codes", "pool", "b/Conv", "depth"));
  EXPECT_THAT(operators, ElementsAre("FakeQuantize", "Conv", "MaxPool", "Conv", "Sigmoid"));
  EXPECT_THAT(dump.layers[1].also, ElementsAre("a/Relu"));
  EXPECT_EQ(dump.layers[3].file, "values/b_Conv.npy");
}

// Behind MaxPool and Upsample a file repeats the codes: they are one layer.
TEST_F(WriteLayerDump, CodesThatAreRepeatedAreOneLayer) {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 4, 4});
  const FakeQuantize grid{0.25F, 0, false};
  const auto in = graph.add(grid, {image}, "in");
  const auto up = graph.add(graph::Upsample{2}, {in}, "up");
  const auto again = graph.add(grid, {up}, "up");
  graph.set_outputs({{"depth", graph.add(graph::Sigmoid{}, {again}, "b")}});
  ASSERT_TRUE(write_layer_dump(graph, {"image", "in", "up", "codes", "depth"}, {2, picture_of},
                               "q.onnx", folder_ / "dump"));
  const auto dump = read();
  ASSERT_EQ(dump.layers.size(), 3);
  EXPECT_EQ(dump.layers[1].name, "codes");
  EXPECT_EQ(dump.layers[1].operation, "Upsample");
  EXPECT_THAT(dump.layers[1].also, ElementsAre("up"));
  EXPECT_EQ(dump.layers[2].operation, "Sigmoid");
}

// By hand: x = 0, 1/16 ... 15/16 rounds to quarters, half to even; relu(3 x - 1) to halves: with
// zero point 3, and the greatest of 2x2 each.
TEST_F(WriteLayerDump, StoresCodesAndTheirScale) {
  ASSERT_TRUE(write());
  const auto dump = read();
  EXPECT_EQ(dump.layers[0].type, NpyType::kUint8);
  EXPECT_EQ(dump.layers[0].scale, 0.25);
  const auto quarters = values_of(dump, dump.layers[0]);
  EXPECT_THAT(std::vector(quarters.begin(), quarters.begin() + 16),
              ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4));
  const auto& pool = dump.layers[2];
  EXPECT_EQ(pool.type, NpyType::kInt8);
  EXPECT_EQ(pool.scale, 0.5);
  EXPECT_EQ(pool.zero_point, 3);
  EXPECT_THAT(pool.shape, ElementsAre(2, 1, 2, 2));
  // 3 * 1/4 - 1 < 0: 3; 3 * 2/4 - 1 = 0.5: 4; 3 * 3/4 - 1 = 1.25: 2.5 steps, 2 (half to even): 5;
  // 3 * 4/4 - 1 = 2: 7.
  EXPECT_THAT(values_of(dump, pool), ElementsAre(3, 4, 5, 7, 7, 7, 7, 7));
}

// Codes of 16 bits as int32, and what is neither float32 nor a whole number as float32.
TEST_F(WriteLayerDump, StoresWhatNpyFilesOfDumpsHaveNoTypeFor) {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 4, 4});
  const auto wide =
      graph.add(FakeQuantize{.scale = 0x1p-12F, .zero_point = 9, .bits = 16}, {image}, "wide");
  const auto real = graph.add(graph::Cast{torch::kFloat64}, {wide}, "real");
  const auto some = graph.add(graph::Cast{torch::kBool}, {wide}, "some");
  graph.set_outputs({{"real", real}, {"some", some}});
  ASSERT_TRUE(write_layer_dump(graph, {"image", "codes", "real", "some"}, {2, picture_of}, "q.onnx",
                               folder_ / "dump"));
  const auto dump = read();
  ASSERT_EQ(dump.layers.size(), 3U);
  EXPECT_EQ(values_of(dump, dump.layers[0]).at(2), 9 + 2 * 256);  // 2 / 16 in codes of 2^-12
  EXPECT_EQ(values_of(dump, dump.layers[1]).at(2), 0.125);
  EXPECT_EQ(values_of(dump, dump.layers[2]).at(0), 0);
  EXPECT_EQ(values_of(dump, dump.layers[2]).at(2), 1);
}

TEST_F(WriteLayerDump, KeepsTheInputAsTheFileTakesIt) {
  ASSERT_TRUE(write());
  const auto dump = read();
  const NpyFile file(dump.folder / dump.input.file);
  const auto stored =
      torch::from_blob(const_cast<std::byte*>(file.data().data()), {2, 3, 4, 4}).clone();
  EXPECT_TRUE(stored.equal(torch::cat({picture_of(0), picture_of(1)})));
}

// The head's channels come in stripes: 8192 pixels at once.
TEST_F(WriteLayerDump, AssemblesTheIntegerHead) {
  torch::manual_seed(3);
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 96, 128});
  const auto head = graph.add(
      graph::Conv{
          .weight = torch::randn({5, 3, 3, 3}), .bias = torch::zeros({5}), .padding = {1, 1}},
      {image}, "head");
  const FakeQuantize grid{0.05F, 128, false};
  const auto codes = graph.add(grid, {head}, "head");
  graph.set_outputs({{"level", graph.add(graph::ArgMax{}, {codes}, "head")}});
  auto input = torch::rand({1, 3, 96, 128});
  ASSERT_TRUE(write_layer_dump(graph, {"image", "c", "q", "level"},
                               {1, [&](size_t) { return input; }}, "q.onnx", folder_ / "dump"));
  const auto dump = read();
  ASSERT_EQ(dump.layers.at(0).name, "q");
  const auto& conv = std::get<graph::Conv>(graph.node(head).operation);
  const auto logits = torch::conv2d(input, conv.weight, conv.bias, 1, 1);
  const auto expected = ((logits / 0.05F).round() + 128).clamp(0, 255).flatten();
  const auto got = values_of(dump, dump.layers[0]);
  ASSERT_EQ(got.size(), static_cast<size_t>(expected.numel()));
  const auto stored = torch::tensor(got, torch::kFloat32);
  EXPECT_GT(stored.eq(expected).to(torch::kFloat64).mean().item<double>(), 0.9999);
  EXPECT_LE((stored - expected).abs().max().item<float>(), 1);
  EXPECT_EQ(dump.layers.at(1).type, NpyType::kInt64);
  EXPECT_THAT(dump.layers.at(1).shape, ElementsAre(1, 1, 96, 128));
}

TEST_F(WriteLayerDump, ASignalLeavesTheEarlierDumpAsItWas) {
  ASSERT_TRUE(write());
  const auto before = testing::folder_contents(folder_ / "dump");
  const graph::Pictures interrupted{2, [](size_t index) {
                                      if (index == 1) std::raise(SIGINT);
                                      return torch::zeros({1, 3, 4, 4});
                                    }};
  EXPECT_FALSE(write_layer_dump(small_graph(), kNames, interrupted, "q.onnx", folder_ / "dump"));
  EXPECT_TRUE(testing::folder_contents(folder_ / "dump") == before);
}

TEST_F(WriteLayerDump, FullDiskIsOneErrorAndLeavesNothing) {
  {
    const testing::FileSizeLimit limit(150);
    EXPECT_THAT([&] { write(); }, ThrowsMessage<Error>(HasSubstr("image.npy")));
  }
  EXPECT_TRUE(testing::folder_contents(folder_ / "dump").empty());
}

TEST_F(WriteLayerDump, OtherFilesAreRefused) {
  folder_.write("dump/thesis.tex", "text");
  EXPECT_THAT([&] { expect_dump_folder(folder_ / "dump"); },
              ThrowsMessage<Error>(HasSubstr("thesis.tex")));
  EXPECT_THAT([&] { write(); }, ThrowsMessage<Error>(HasSubstr("an earlier dump of layers")));
}

TEST(FileNameOf, KeepsWhatAnyFileSystemTakes) {
  EXPECT_EQ(file_name_of("/encoder/conv1/Relu:0"), "_encoder_conv1_Relu_0");
  EXPECT_EQ(file_name_of("../a b"), ".._a_b");
  EXPECT_EQ(file_name_of(std::string(300, 'x')).size(), 200);
}

}  // namespace
}  // namespace dualdepth::quantize
