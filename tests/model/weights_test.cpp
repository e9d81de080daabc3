#include "dualdepth/model/weights.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "dualdepth/base/error.h"
#include "dualdepth/model/depth_net.h"
#include "testing/interop_python.h"
#include "testing/shared_data.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::TempFolder;
using ::testing::ThrowsMessage;

TEST(TensorFile, KeepsValuesTypesAndShapesOfAnyMemoryFormat) {
  const TempFolder folder;
  const auto image = torch::arange(2 * 3 * 4 * 5, torch::kFloat32).view({2, 3, 4, 5});
  write_tensors(folder / "t.safetensors",
                {{"channels_last", image.contiguous(torch::MemoryFormat::ChannelsLast)},
                 {"counter", torch::tensor(7, torch::kInt64)},
                 {"half", torch::tensor({1.5, -2.0}, torch::kBFloat16)},
                 {"none", torch::empty({0, 3})}},
                {{"key", "value"}});
  const SafetensorsFile file(folder / "t.safetensors");
  const auto tensors = read_tensors(file);
  EXPECT_TRUE(tensors.at("channels_last").equal(image));
  EXPECT_TRUE(tensors.at("counter").equal(torch::tensor(7, torch::kInt64)));
  EXPECT_TRUE(tensors.at("half").equal(torch::tensor({1.5, -2.0}, torch::kBFloat16)));
  EXPECT_EQ(tensors.at("none").sizes(), torch::IntArrayRef({0, 3}));
  EXPECT_EQ(file.metadata().at("key"), "value");
}

TEST(TensorFile, ReadsOnlyNamesWithThePrefixAndStripsIt) {
  const TempFolder folder;
  NamedTensors all;
  add_with_prefix(all, "model.", {{"a", torch::ones(1)}});
  add_with_prefix(all, "ema.", {{"a", torch::zeros(1)}});
  write_tensors(folder / "t.safetensors", all);
  const auto model = read_tensors(SafetensorsFile(folder / "t.safetensors"), "model.");
  ASSERT_EQ(model.size(), 1u);
  EXPECT_EQ(model.at("a").item<float>(), 1.0f);
}

TEST(EncoderWeights, TheSharedFileMatchesAllButLayer4sConvolutionsAndTheirNorms) {
  DUALDEPTH_NEEDS_SHARED("weights/resnet18_partial.safetensors");
  const auto encoder = make_encoder({});
  const auto report =
      load_encoder_weights(*encoder, testing::shared_path("weights/resnet18_partial.safetensors"));
  // 20 convolutions and 20 norms of 4 tensors make 100; four of each are absent from the file.
  EXPECT_EQ(report.matched.size(), 80u);
  EXPECT_EQ(report.missing.size(), 20u);
  EXPECT_THAT(report.missing, Contains("layer4.1.conv2.weight"));
  EXPECT_THAT(report.missing, Each(StartsWith("layer4.")));
  EXPECT_THAT(report.unused, IsEmpty());
  // bn1.bias[0] of the file, read with Python's struct module.
  EXPECT_FLOAT_EQ(encoder->named_parameters()["bn1.bias"][0].item<float>(), 0.22726284f);
}

TEST(EncoderWeights, AClassifierIsReportedAsUnused) {
  const TempFolder folder;
  const auto encoder = make_encoder({});
  auto tensors = state_of(*encoder);
  tensors["fc.weight"] = torch::zeros({1000, 512});
  tensors["fc.bias"] = torch::zeros({1000});
  tensors.erase("bn1.weight");
  tensors.erase("bn1.num_batches_tracked");
  write_tensors(folder / "w.safetensors", tensors);
  const auto report = load_encoder_weights(*encoder, folder / "w.safetensors");
  EXPECT_THAT(report.unused, ElementsAre("fc.bias", "fc.weight"));
  EXPECT_THAT(report.missing, ElementsAre("bn1.weight"));
  // 20 convolutions and 20 norms of 5 tensors make 120; two were taken away.
  EXPECT_EQ(report.summary(),
            "118 tensors matched, 1 missing (bn1.weight), 2 unused (fc.bias, fc.weight)");
}

TEST(EncoderWeights, AllDifferencesInShapeAreListedAndNothingIsLoaded) {
  const TempFolder folder;
  const auto encoder = make_encoder({});
  auto tensors = state_of(*encoder);
  const auto before = encoder->named_parameters()["bn1.weight"].clone();
  tensors["bn1.weight"] = torch::full({64}, 3.0);
  tensors["conv1.weight"] = torch::zeros({64, 1, 7, 7});
  tensors["layer2.0.bn1.bias"] = torch::zeros({64});
  write_tensors(folder / "w.safetensors", tensors);
  EXPECT_THAT([&] { load_encoder_weights(*encoder, folder / "w.safetensors"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("w.safetensors"), HasSubstr("2 that differ"),
                                         HasSubstr("conv1.weight: expected Float [64, 3, 7, 7], "
                                                   "got Float [64, 1, 7, 7]"),
                                         HasSubstr("layer2.0.bn1.bias"))));
  EXPECT_TRUE(encoder->named_parameters()["bn1.weight"].equal(before));
}

TEST(EncoderWeights, AFileWithoutAnyEncoderNameIsRefused) {
  const TempFolder folder;
  write_tensors(folder / "w.safetensors", {{"something", torch::zeros(3)}});
  const auto encoder = make_encoder({});
  EXPECT_THAT([&] { load_encoder_weights(*encoder, folder / "w.safetensors"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("conv1.weight"), HasSubstr("something"))));
}

TEST(WholeState, ListsShapesMissingAndUnusedTogether) {
  const auto encoder = make_encoder({});
  auto tensors = state_of(*encoder);
  tensors.erase("conv1.weight");
  tensors["bn1.bias"] = torch::zeros({1});
  tensors["extra"] = torch::zeros({2});
  EXPECT_THAT([&] { load_whole_state(*encoder, tensors, "x.safetensors"); },
              ThrowsMessage<Error>(AllOf(
                  HasSubstr("3 that differ"), HasSubstr("conv1.weight: expected Float"),
                  HasSubstr("got no such tensor"), HasSubstr("bn1.bias: expected Float [64], got"),
                  HasSubstr("extra: expected no such tensor"))));
}

TEST(WholeState, HalfPrecisionFilesLoadIntoFloat32) {
  const auto encoder = make_encoder({});
  auto tensors = state_of(*encoder);
  tensors["bn1.bias"] = torch::full({64}, 1.5, torch::kBFloat16);
  load_whole_state(*encoder, tensors, "x.safetensors");
  const auto bias = encoder->named_parameters()["bn1.bias"];
  EXPECT_EQ(bias.scalar_type(), torch::kFloat32);
  EXPECT_EQ(bias[63].item<float>(), 1.5f);
}

double relative_difference(const torch::Tensor& got, const torch::Tensor& want) {
  return (got - want).abs().max().item<double>() / want.abs().max().item<double>();
}

void expect_the_same(DepthNet& net, const torch::Tensor& image, const NamedTensors& expected) {
  const auto encoded = net->encoder().forward((image - 0.45) / 0.225);
  for (size_t i = 0; i < encoded.size(); ++i) {
    EXPECT_LT(relative_difference(encoded[i], expected.at(fmt::format("encoder_{}", i))), 1e-4);
  }
  for (const auto& [scale, feature] : net->features(image)) {
    const auto heads = net->heads(feature, scale);
    EXPECT_LT(
        relative_difference(heads.integer_logits, expected.at(fmt::format("integer_{}", scale))),
        1e-4);
    EXPECT_LT(
        relative_difference(heads.fraction_logits, expected.at(fmt::format("fraction_{}", scale))),
        1e-4);
  }
}

// Random weights, random statistics: nothing cancels. torchvision's and timm's networks load the
// encoder strictly, which also proves the names. One process for all: Python imports them for long.
TEST(PythonTorch, ComputesTheSameNetworks) {
  DUALDEPTH_NEEDS_INTEROP();
  torch::manual_seed(4);
  const TempFolder folder;
  const torch::NoGradGuard no_grad;
  const auto image = torch::rand({2, 3, 64, 96});
  std::vector<DepthNet> nets;
  std::vector<std::string> arguments{folder.path().string()};
  using enum EncoderKind;
  for (const auto kind :
       {kResNet18, kResNet50, kResNet101, kMobileNetV2, kMobileNetV3Large, kEfficientNetLite0}) {
    ModelOptions options;
    options.encoder = kind;
    options.head.scales = {0, 1};
    if (kind == kMobileNetV2) options.decoder_block = DecoderBlock::kSeparable;
    DepthNet& net = nets.emplace_back(options);
    net->eval();
    auto tensors = state_of(*net);
    for (auto& [name, tensor] : tensors) {
      if (name.ends_with("running_mean") || name.ends_with("bias")) tensor.normal_(0, 0.1);
      if (name.ends_with("running_var")) tensor.uniform_(0.5, 2);
    }
    tensors["image"] = image;
    arguments.emplace_back(enum_name(kind));
    write_tensors(folder / (arguments.back() + ".in"), tensors);
  }
  arguments.insert(arguments.begin(),
                   (testing::source_dir() / "tests/model/reference_network.py").string());
  const auto script = testing::run_program(testing::interop_python(), arguments);
  ASSERT_EQ(script.exit_code, 0) << script.errors;
  for (DepthNet& net : nets) {
    const std::string name(enum_name(net->options().encoder));
    SCOPED_TRACE(name);
    const auto expected = read_tensors(SafetensorsFile(folder / (name + ".out")));
    expect_the_same(net, image, expected);
    net->prepare_for_prediction();
    expect_the_same(net, image, expected);
  }
}

}  // namespace
}  // namespace dualdepth
