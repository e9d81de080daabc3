#include "dualdepth/train/metrics_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;

TEST(MetricsLog, WritesOneObjectALineWithPlainNumbers) {
  const testing::TempFolder folder;
  MetricsLog log(folder / "metrics.jsonl", 0);
  log.add(10, {{"epoch", 1}, {"loss", 4.5}, {"lr", 2e-4}});
  log.add(20, {{"images", 81920000}});
  EXPECT_EQ(read_file(folder / "metrics.jsonl"),
            "{\"step\":10,\"epoch\":1,\"loss\":4.5,\"lr\":0.0002}\n"
            "{\"step\":20,\"images\":81920000}\n");
}

TEST(MetricsLog, LeavesOutWhatIsNotFinite) {
  const testing::TempFolder folder;
  MetricsLog log(folder / "metrics.jsonl", 0);
  log.add(1, {{"loss", std::numeric_limits<double>::quiet_NaN()},
              {"norm", std::numeric_limits<double>::infinity()},
              {"lr", 1}});
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"step\":1,\"lr\":1}\n");
}

TEST(MetricsLog, AResumedRunReplacesLinesBeyondItsStep) {
  const testing::TempFolder folder;
  const auto file =
      folder.write("metrics.jsonl", "{\"step\":10}\n{\"step\":20}\n{\"step\":30}\n{\"step\":3");
  MetricsLog log(file, 20);
  log.add(21, {{"loss", 1}});
  EXPECT_EQ(read_file(file), "{\"step\":10}\n{\"step\":20}\n{\"step\":21,\"loss\":1}\n");
}

TEST(MetricsLog, NamesTheFileThatCannotBeWritten) {
  try {
    MetricsLog log("/proc/none/metrics.jsonl", 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/proc/none/metrics.jsonl"));
  }
}

}  // namespace
}  // namespace dualdepth
