#include "dualdepth/runtime/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "dualdepth/base/error.h"
#include "dualdepth/model/weights.h"
#include "testing/narrow_model.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

std::map<std::string, std::string> metadata_of(const RunConfig& config, int version = 1) {
  return {{"dualdepth",
           nlohmann::json{{"format_version", version}, {"config", to_yaml(config)}, {"step", 7}}
               .dump()}};
}

NamedTensors model_tensors(const DepthNet& net) {
  NamedTensors tensors;
  add_with_prefix(tensors, kModelPrefix, state_of(*net));
  return tensors;
}

RunConfig small_run() {
  RunConfig config;
  config.model = testing::narrow_model();
  config.model.params.codec.n_integer_levels = 48;
  config.model.params.codec.max_depth = 15;
  return config;
}

TEST(Checkpoint, BringsBackNetworkAndConfiguration) {
  const TempFolder folder;
  torch::manual_seed(1);
  const RunConfig config = small_run();
  DepthNet net(config.model);
  write_tensors(folder / "c.safetensors", model_tensors(net), metadata_of(config));

  const auto checkpoint = open_checkpoint(folder / "c.safetensors");
  EXPECT_EQ(checkpoint.config.model.params.codec, config.model.params.codec);
  EXPECT_EQ(checkpoint.metadata.at("step"), 7);
  auto loaded = load_network(checkpoint);
  EXPECT_FALSE(loaded->is_training());
  net->eval();
  const torch::NoGradGuard no_grad;
  const auto image = torch::rand({1, 3, 32, 64});
  EXPECT_TRUE(loaded->features(image).at(0).equal(net->features(image).at(0)));
}

TEST(Checkpoint, PrefersAveragedWeights) {
  const TempFolder folder;
  const RunConfig config = small_run();
  DepthNet net(config.model);
  auto tensors = model_tensors(net);
  tensors["ema.encoder.bn1.bias"] = torch::full({8}, 0.25);
  tensors["optimizer.step"] = torch::tensor(3.0);
  write_tensors(folder / "c.safetensors", tensors, metadata_of(config));
  const auto loaded = load_network(open_checkpoint(folder / "c.safetensors"));
  const auto parameters = loaded->named_parameters();
  EXPECT_EQ(parameters["encoder.bn1.bias"][5].item<float>(), 0.25F);
  EXPECT_TRUE(
      parameters["encoder.bn1.weight"].equal(net->named_parameters()["encoder.bn1.weight"]));
}

TEST(Checkpoint, OfAnotherNetworkListsAllDifferences) {
  const TempFolder folder;
  RunConfig config = small_run();
  DepthNet net(config.model);
  config.model.params.codec.n_integer_levels = 256;
  config.model.head.scales = {0, 1};
  write_tensors(folder / "c.safetensors", model_tensors(net), metadata_of(config));
  const auto checkpoint = open_checkpoint(folder / "c.safetensors");
  // Two tensors of the head at scale 0 have another shape, four of scale 1 are missing.
  EXPECT_THAT([&] { load_network(checkpoint); },
              ThrowsMessage<Error>(AllOf(
                  HasSubstr("c.safetensors"), HasSubstr("6 that differ"),
                  HasSubstr("decoder.head_0.integer.weight: expected Float [256, 8, 3, 3], got "
                            "Float [48, 8, 3, 3]"),
                  HasSubstr("decoder.head_1.fraction.bias: expected Float [1], got no such"))));
}

TEST(Checkpoint, AFileThatIsNoneGivesOneClearError) {
  const TempFolder folder;
  const auto error_about = [&](const std::string& name, const std::string& part) {
    EXPECT_THAT([&] { open_checkpoint(folder / name); },
                ThrowsMessage<Error>(AllOf(HasSubstr(name), HasSubstr(part))));
  };
  error_about("absent.safetensors", "absent.safetensors");
  folder.write("picture.png", "not a safetensors file at all");
  error_about("picture.png", "picture.png");
  write_tensors(folder / "weights.safetensors", {{"conv1.weight", torch::zeros(1)}});
  error_about("weights.safetensors", "checkpoint written by dualdepth train");
  write_tensors(folder / "broken.safetensors", {}, {{"dualdepth", "{\"format_version\": 1"}});
  error_about("broken.safetensors", "without format_version and config");
  write_tensors(folder / "newer.safetensors", {}, metadata_of(small_run(), 2));
  error_about("newer.safetensors", "expected checkpoint format 1, got 2");
}

}  // namespace
}  // namespace dualdepth
