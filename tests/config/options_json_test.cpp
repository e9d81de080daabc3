#include "dualdepth/config/options_json.h"

#include <gtest/gtest.h>

#include "dualdepth/config/run_config.h"

namespace dualdepth {
namespace {

TEST(OptionsJson, NestsGroupsAndWritesNamesAndNumbers) {
  RunConfig config;
  config.seed = 3;
  config.evaluation.scaling = ScalingKind::kMedian;
  const auto json = options_json(config);
  EXPECT_EQ(json.at("seed"), 3);
  EXPECT_EQ(json.at("evaluation").at("scaling"), "median");
  EXPECT_EQ(json.at("data").at("image_shape"), nlohmann::json::array({192, 640}));
  EXPECT_EQ(json.at("data").at("augmentation").at("flip"), 0.5);
  EXPECT_EQ(json.at("model").at("params").at("max_depth"), 80.0);
}

}  // namespace
}  // namespace dualdepth
