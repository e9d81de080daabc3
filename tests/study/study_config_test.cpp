#include "dualdepth/study/study_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/config/field_table.h"
#include "dualdepth/study/planned_run.h"
#include "study/study_fixture.h"
#include "testing/build_paths.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::StudyFile;
using ::testing::ThrowsMessage;

const std::string kTwo = R"(base: base.yaml
variants:
  levels_256: {about: the default}
  one_sigmoid:
    model: {params: {use_dual_head: false}}
)";

TEST(StudyConfig, KeepsTheKeysThatAVariantSetsNestedOrWithDots) {
  const auto study = StudyFile(kTwo +
                               "  levels_48: {model.params.n_integer_levels: 48, "
                               "model.params.codec: rounded, data.root: \"a: b\"}\n")
                         .load();
  EXPECT_EQ(study.name, "heads");
  EXPECT_EQ(study.reference, "levels_256");
  EXPECT_THAT(study.seeds, ElementsAre(0));
  ASSERT_EQ(study.variants.size(), 3U);
  EXPECT_EQ(study.variants[0].about, "the default");
  EXPECT_THAT(study.variants[0].overrides, IsEmpty());
  EXPECT_THAT(study.variants[1].overrides,
              ElementsAre(ConfigOverride{"model.params.use_dual_head", "false"}));
  EXPECT_THAT(study.variants[2].overrides,
              ElementsAre(ConfigOverride{"model.params.codec", "rounded"},
                          ConfigOverride{"model.params.n_integer_levels", "48"},
                          ConfigOverride{"data.root", "\"a: b\""}));
}

TEST(StudyConfig, WithoutDataHasThatOfItsBase) {
  const StudyFile file(kTwo);
  const auto study = file.load();
  ASSERT_EQ(study.data.size(), 1U);
  EXPECT_EQ(study.data[0].name, "base");
  EXPECT_EQ(study.data[0].base, file.folder() / "base.yaml");
}

TEST(StudyConfig, OverridesOfTheCommandLineWin) {
  const auto study = StudyFile(kTwo).load(
      {"seeds=[3, 4]", "variants.levels_256.optimizer.lr=0.5", "judge.pictures=7"});
  EXPECT_THAT(study.seeds, ElementsAre(3, 4));
  EXPECT_THAT(study.variants[0].overrides, ElementsAre(ConfigOverride{"optimizer.lr", "0.5"}));
  EXPECT_EQ(study.judge.pictures, 7);
}

struct Fault {
  const char* name;
  std::string yaml;
  std::vector<std::string> message;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

class WrongStudy : public ::testing::TestWithParam<Fault> {};

TEST_P(WrongStudy, IsOneErrorThatNamesItsPlace) {
  const StudyFile file(GetParam().yaml);
  try {
    file.load();
    FAIL() << "expected an error";
  } catch (const ConfigError& error) {
    for (const std::string& part : GetParam().message) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
}

const Fault kFaults[] = {
    {"UnknownKeyOfAVariant",
     kTwo + "  third: {model.params.max_dept: 3}\n",
     {"heads.yaml:6: variants.third.model.params.max_dept: unknown key; did you mean max_depth?"}},
    {"UnknownKeyOfTheStudy", kTwo + "seed: [1]\n", {"heads.yaml:6: seed", "did you mean seeds?"}},
    {"TwoVariantsOfOneName",
     kTwo + "  levels_256: {}\n",
     {"heads.yaml:6: variants.levels_256: expected each key once, got a second one"}},
    {"SeedsThatRepeat",
     kTwo + "seeds: [0, 1, 0]\n",
     {"heads.yaml:6: seeds: expected each seed once, got 0 more than once"}},
    {"NoSeed", kTwo + "seeds: []\n", {"heads.yaml:6: seeds: expected at least one"}},
    {"NoVariant", "base: base.yaml\n", {"variants: expected at least one"}},
    {"NoBase", "variants: {a: {}}\n", {"base: expected a run configuration, got nothing"}},
    {"UnknownReference",
     kTwo + "reference: one_sigmod\n",
     {"heads.yaml:6: reference", "one_sigmod", "did you mean one_sigmoid?"}},
    {"NameThatIsNoFolder", kTwo + "  a/b: {}\n", {"variants.a/b", "letters, digits, _ and -"}},
    {"SeedOfAVariant",
     kTwo + "  third: {seed: 3}\n",
     {"heads.yaml:6: variants.third.seed", "the study's seeds decide it"}},
    {"OutputOfAVariant", kTwo + "  third: {output_dir: x}\n", {"variants.third.output_dir"}},
    {"PerChannelOnTheNpu",
     kTwo + "judge: {profile: npu}\n",
     {"judge.weights", "[per-tensor] with profile npu"}},
    {"SameWeightsTwice",
     kTwo + "judge: {weights: [per-tensor, per-tensor]}\n",
     {"heads.yaml:6: judge.weights", "each once"}},
    {"NotYaml", "base: [", {"heads.yaml:", "not valid YAML"}},
    {"VariantsAsAList", "base: base.yaml\nvariants: [a, b]\n", {"variants", "key: value lines"}},
};

INSTANTIATE_TEST_SUITE_P(All, WrongStudy, ::testing::ValuesIn(kFaults),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(StudyConfig, TellsAllThatIsWrongTogether) {
  const StudyFile file(kTwo + "seeds: [1, 1]\nreference: none_such\njudge: {picturs: 3}\n");
  EXPECT_THAT([&] { file.load(); },
              ThrowsMessage<ConfigError>(
                  AllOf(HasSubstr("seeds"), HasSubstr("reference"), HasSubstr("judge.picturs"))));
}

std::string manual_row(const std::string& prefix, const Field& field) {
  return "| `" + prefix + field.path + "` | `" + field.value() + "` | " +
         std::string(field.info.help) + " |";
}

TEST(StudyManual, HasEachKeyWithItsDefaultAndMeaning) {
  const std::string page = read_file(::dualdepth::testing::source_dir() / "docs/studies.md");
  JudgeOptions judge;
  RenderOptions render;
  for (const Field& field : field_table(judge)) {
    EXPECT_THAT(page, HasSubstr(manual_row("judge.", field)));
  }
  for (const Field& field : field_table(render)) {
    EXPECT_THAT(page, HasSubstr(manual_row("data.NAME.render.", field)));
  }
}

// What ships has runs, whatever data there is.
class ShippedStudy : public ::testing::TestWithParam<const char*> {};

TEST_P(ShippedStudy, IsRead) {
  const fs::path file =
      ::dualdepth::testing::source_dir() / "configs/studies" / (std::string(GetParam()) + ".yaml");
  const auto study = load_study(file);
  const auto runs = plan_runs(study, "out");
  EXPECT_EQ(runs.size(), study.variants.size() * study.data.size() * study.seeds.size());
  EXPECT_GE(study.variants.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(All, ShippedStudy,
                         ::testing::Values("smoke", "heads", "objectives", "ranges", "encoders"));

TEST(ShippedStudies, AreAllTested) {
  std::vector<std::string> names;
  for (const auto& entry :
       fs::directory_iterator(::dualdepth::testing::source_dir() / "configs/studies")) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("smoke.yaml", "heads.yaml", "objectives.yaml",
                                                     "ranges.yaml", "encoders.yaml"));
}

}  // namespace
}  // namespace dualdepth::study
