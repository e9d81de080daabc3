// eval of prediction files on an NCDB tree that NumPy has made and judged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "testing/interop_python.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

using nlohmann::json;

void expect_near(const json& got, const json& expected, const std::string& where) {
  for (const auto& [name, value] : expected.items()) {
    ASSERT_TRUE(got.contains(name)) << where << "/" << name;
    if (value.is_object()) {
      expect_near(got[name], value, name);
    } else {
      const auto number = value.get<double>();
      EXPECT_NEAR(got[name].get<double>(), number, 1e-4 * std::abs(number) + 1e-6)
          << where << "/" << name;
    }
  }
}

TEST(NcdbEvaluation, OfEveryKindOfPredictionFileAgreesWithNumPy) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  const auto script = testing::run_interop_script("metrics/reference_ncdb.py", folder.path());
  ASSERT_EQ(script.exit_code, 0) << script.errors;
  const json expected = json::parse(script.output);
  for (const std::string kind : {"npy", "npz_depth", "npz_heads"}) {
    SCOPED_TRACE(kind);
    std::vector<std::string> words{"eval",
                                   "--predictions",
                                   folder / kind,
                                   "--dataset",
                                   "ncdb",
                                   "--root",
                                   folder / "root",
                                   "--split",
                                   folder / "split.json",
                                   "--json",
                                   folder / "eval.json",
                                   "--csv",
                                   folder / "eval.csv",
                                   "--html",
                                   folder / "eval.html",
                                   "--use-mask",
                                   "--classes"};
    if (kind == "npz_heads") words.insert(words.end(), {"--max-depth", "15"});
    const auto result = testing::run_program(testing::program(), words);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const json ours = json::parse(read_file(folder / "eval.json"));
    EXPECT_EQ(ours["protocol"], "ncdb");
    EXPECT_EQ(ours["num_samples"], 3);
    EXPECT_EQ(ours["per_sample"][1]["id"], "garage/a/frame_2");
    expect_near(ours, expected[kind == "npy" ? "npy" : "npz"], kind);
  }
}

}  // namespace
}  // namespace dualdepth
