#include "dualdepth/export/export_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <functional>
#include <limits>

#include "dualdepth/base/error.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"

// The gates of export's proof, each with a file that is wrong in one way.
namespace dualdepth {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

torch::Tensor picture(size_t index) {
  torch::manual_seed(index);
  return torch::rand({1, 3, 32, 64});
}

// Returns the checkpoint's prediction after `change`.
class ChangedFile : public ExportedModel {
 public:
  using Change = std::function<void(NamedTensors& outputs)>;

  ChangedFile(DepthNet net, ModelOutputs outputs, Change change)
      : net_(std::move(net)), change_(std::move(change)) {
    ModelOptions model = net_->options();
    model.params.codec.decoding = LevelDecoding::kArgmax;  // the file returns the level itself
    contract_ = contract_of(model, DataOptions(), outputs);
  }

  NamedTensors run(const torch::Tensor& image) override {
    batches.push_back(image.size(0));
    const auto dense = predict_dense(net_, image);
    NamedTensors outputs;
    if (contract_.output(OutputKind::kDepth) != nullptr) {
      outputs["depth"] = dense.depth.unsqueeze(1).clone();
    } else {
      outputs["level"] = dense.level.unsqueeze(1).clone();
      outputs["fraction"] = dense.fraction.unsqueeze(1).clone();
    }
    change_(outputs);
    return outputs;
  }

  const Contract& contract() const override { return contract_; }

  std::vector<int64_t> batches;

 private:
  DepthNet net_;
  Change change_;
  Contract contract_;
};

class ExportProof : public ::testing::Test {
 protected:
  ExportCheck check(const ChangedFile::Change& change,
                    ModelOutputs outputs = ModelOutputs::kLevels) {
    ChangedFile file(net_, outputs, change);
    return check_export(net_, file, {2, picture});
  }

  // Levels 2 k and 2 k + 1 are equal in every pixel.
  void tie_levels() {
    const torch::NoGradGuard no_grad;
    const auto filters = net_->decoder()->head(0)->filters();
    for (const auto& values : {filters.integer_weight, filters.integer_bias}) {
      auto odd = values.slice(0, 1, values.size(0), 2);
      odd.copy_(values.slice(0, 0, values.size(0), 2));
    }
  }

  DepthNet net_ = testing::random_net(testing::narrow_model());
};

TEST_F(ExportProof, HoldsForTheCheckpointsOwnResult) {
  for (const auto outputs : {ModelOutputs::kLevels, ModelOutputs::kDepth}) {
    const auto result = check([](NamedTensors&) {}, outputs);
    EXPECT_TRUE(result.holds());
    EXPECT_EQ(result.pictures, 2);
    EXPECT_EQ(result.pixels, 2 * 32 * 64);
    EXPECT_EQ(result.worst_depth, 0);
  }
}

TEST_F(ExportProof, RefusesDepthThatIsOffByTwoMillimetres) {
  const auto result = check([](NamedTensors& outputs) { outputs["depth"][0][0][3][5] += 2e-3; },
                            ModelOutputs::kDepth);
  EXPECT_FALSE(result.holds());
  EXPECT_EQ(result.out_of_tolerance, 2);  // one in each picture
}

// A level of the default codec is (80 - 0.1) / 256 = 0.312 m long.
TEST_F(ExportProof, RefusesAFractionThatMovesDepthByTwoMillimetres) {
  const auto result = check([](NamedTensors& outputs) { outputs["fraction"] += 2e-3 / 0.312; });
  EXPECT_FALSE(result.holds());
  EXPECT_EQ(result.out_of_tolerance, result.pixels);
}

TEST_F(ExportProof, RefusesOtherLevels) {
  const auto all = check([](NamedTensors& outputs) { outputs["level"].sub_(1).abs_(); });
  EXPECT_FALSE(all.holds());
  EXPECT_EQ(all.other_levels, all.pixels);
  // One pixel of 2048 is more than one of 10,000.
  const auto one = check([](NamedTensors& outputs) {
    auto pixel = outputs["level"][0][0][3][5];
    pixel.fill_((pixel + 100) % 256);
  });
  EXPECT_FALSE(one.holds());
  EXPECT_EQ(one.other_levels, 2);
}

TEST_F(ExportProof, RefusesNanInOnePixel) {
  const auto fraction =
      check([](NamedTensors& outputs) { outputs["fraction"][0][0][3][5] = kNaN; });
  EXPECT_FALSE(fraction.holds());
  EXPECT_EQ(fraction.non_finite, 2);
  EXPECT_TRUE(std::isfinite(fraction.mean_difference));
  const auto depth =
      check([](NamedTensors& outputs) { outputs["depth"].fill_(kNaN); }, ModelOutputs::kDepth);
  EXPECT_FALSE(depth.holds());
  EXPECT_EQ(depth.non_finite, depth.pixels);
}

TEST_F(ExportProof, ExcusesTheOtherOfTwoTiedLevelsAlone) {
  tie_levels();
  const auto other = check([](NamedTensors& outputs) { outputs["level"].bitwise_xor_(1); });
  EXPECT_TRUE(other.holds());
  EXPECT_EQ(other.near_ties, other.pixels);
  const auto third =
      check([](NamedTensors& outputs) { outputs["level"] = (outputs["level"] + 2) % 256; });
  EXPECT_FALSE(third.holds());
  EXPECT_EQ(third.other_levels, third.pixels);
  const auto fraction = check([](NamedTensors& outputs) {
    outputs["level"].bitwise_xor_(1);
    outputs["fraction"] += 0.01;
  });
  EXPECT_FALSE(fraction.holds());
}

// Levels 99 and 200 have a share of a half each: the median is one of them or lies between.
TEST_F(ExportProof, ExcusesAMedianAtAShareOfAHalfAlone) {
  const torch::NoGradGuard no_grad;
  net_->set_decoding({.levels = LevelDecoding::kMedian});
  const auto filters = net_->decoder()->head(0)->filters();
  filters.integer_weight.zero_();
  filters.integer_bias.fill_(-1e4);
  for (const int64_t level : {99, 200}) filters.integer_bias[level] = 0;
  const auto with_level = [&](int64_t level) {
    return check([level](NamedTensors& outputs) { outputs["level"].fill_(level); });
  };
  for (const int64_t level : {99, 150, 200}) EXPECT_TRUE(with_level(level).holds()) << level;
  EXPECT_EQ(with_level(200).near_ties, with_level(200).pixels);
  for (const int64_t level : {98, 201}) {
    EXPECT_FALSE(with_level(level).holds()) << level;
    EXPECT_EQ(with_level(level).other_levels, with_level(level).pixels);
  }
}

TEST_F(ExportProof, RefusesClippedWinners) {
  auto result = check([](NamedTensors&) {});
  result.clipped_winners = 1;
  EXPECT_FALSE(result.holds());
}

TEST_F(ExportProof, FillsUpTheBatchThatTheFileTakes) {
  ChangedFile file(net_, ModelOutputs::kLevels, [](NamedTensors&) {});
  const auto result = check_export(net_, file, {5, picture}, /*batch=*/4);
  EXPECT_TRUE(result.holds());
  EXPECT_EQ(result.pictures, 5);
  EXPECT_THAT(file.batches, ::testing::ElementsAre(4, 4));
}

TEST_F(ExportProof, NamesACheckpointWhoseDepthIsNotFinite) {
  const torch::NoGradGuard no_grad;
  net_->decoder()->head(0)->filters().fraction_bias.fill_(kNaN);
  EXPECT_THAT([&] { check([](NamedTensors&) {}); },
              ::testing::ThrowsMessage<Error>(::testing::HasSubstr("finite depth")));
}

}  // namespace
}  // namespace dualdepth
