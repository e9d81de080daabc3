#include "dualdepth/study/planned_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "study/study_fixture.h"

namespace dualdepth::study {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::StudyFile;
using ::testing::ThrowsMessage;

constexpr const char* kStudy = R"(base: base.yaml
seeds: [5, 6]
data:
  near: {model.params.max_depth: 15, optimizer.lr: 0.25}
  far:
    render: {layout: ncdb, frames: 40, shape: [64, 96]}
    data.batch_size: 3
variants:
  a: {}
  b: {model.params.max_depth: 30}
)";

TEST(PlanRuns, GoesThroughVariantsThenDataThenSeeds) {
  std::vector<std::string> ids;
  for (const auto& run : plan_runs(StudyFile(kStudy).load(), "out")) ids.push_back(run.id());
  EXPECT_THAT(ids, ElementsAre("a/near/seed_5", "b/near/seed_5", "a/far/seed_5", "b/far/seed_5",
                               "a/near/seed_6", "b/near/seed_6", "a/far/seed_6", "b/far/seed_6"));
}

TEST(PlanRuns, VariantComesBeforeDataBeforeBase) {
  const auto runs = plan_runs(StudyFile(kStudy).load(), "out");
  const RunConfig& a_near = runs[0].config;
  EXPECT_EQ(a_near.model.params.codec.max_depth, 15);
  EXPECT_EQ(a_near.optimizer.lr, 0.25);
  EXPECT_EQ(a_near.data.root, "data");
  EXPECT_EQ(a_near.data.batch_size, 4);  // the default: nobody sets it
  EXPECT_EQ(a_near.seed, 5);
  EXPECT_EQ(a_near.output_dir, "out/runs/a/near/seed_5/train");
  EXPECT_EQ(runs[1].config.model.params.codec.max_depth, 30);
  EXPECT_EQ(runs[7].config.seed, 6);
}

TEST(PlanRuns, RenderedDataLiesInTheStudysFolder) {
  const auto runs = plan_runs(StudyFile(kStudy).load(), "out");
  const DataOptions& far = runs[2].config.data;
  EXPECT_EQ(far.dataset, DatasetKind::kNcdb);
  EXPECT_EQ(far.root, "out/data/far");
  EXPECT_EQ(far.train_split, "out/data/far/splits/train.json");
  EXPECT_EQ(far.val_split, "out/data/far/splits/val.json");
  EXPECT_EQ(far.batch_size, 3);
}

TEST(PlanRuns, WhatDoesNotFitTogetherNamesVariantAndData) {
  const StudyFile file(std::string(kStudy) +
                       "  c: {model.params.min_depth: 20}\n"
                       "  d: {data.val_split: \"\"}\n");
  EXPECT_THAT([&] { plan_runs(file.load(), "out"); },
              ThrowsMessage<ConfigError>(
                  AllOf(HasSubstr("variant c on data near: model.params.min_depth: expected above "
                                  "0 and below max_depth (15 m), got 20 m"),
                        Not(HasSubstr("variant c on data far")),
                        HasSubstr("variant d on data near: data.val_split: expected a file, got "
                                  "nothing"))));
}

TEST(PlanRuns, ABaseThatIsNotThereIsNamed) {
  const StudyFile file("base: none.yaml\nvariants: {a: {}}\n");
  EXPECT_THAT([&] { plan_runs(file.load(), "out"); }, ThrowsMessage<Error>(HasSubstr("none.yaml")));
}

}  // namespace
}  // namespace dualdepth::study
