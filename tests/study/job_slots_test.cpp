#include "dualdepth/study/job_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "testing/environment_variable.h"
#include "testing/temp_folder.h"

namespace dualdepth::study {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int> threads_of(const std::vector<JobSlot>& slots) {
  std::vector<int> threads;
  threads.reserve(slots.size());
  for (const JobSlot& slot : slots) threads.push_back(slot.threads);
  return threads;
}

std::vector<std::string> gpus_of(const std::vector<JobSlot>& slots) {
  std::vector<std::string> gpus;
  gpus.reserve(slots.size());
  for (const JobSlot& slot : slots) gpus.push_back(slot.gpu);
  return gpus;
}

TEST(JobSlots, OneRunHasAllThatItsConfigurationAsksFor) {
  EXPECT_THAT(threads_of(job_slots(0, 9, 0, {.cores = 2})), ElementsAre(0));
  EXPECT_THAT(threads_of(job_slots(5, 1, 0, {.cores = 8})), ElementsAre(0));
}

TEST(JobSlots, ShareTheCores) {
  EXPECT_THAT(threads_of(job_slots(0, 9, 0, {.cores = 8})), ElementsAre(4, 4));
  EXPECT_THAT(threads_of(job_slots(3, 9, 0, {.cores = 8})), ElementsAre(2, 2, 2));
  EXPECT_THAT(threads_of(job_slots(3, 9, 0, {.cores = 2})), ElementsAre(1, 1, 1));
}

TEST(JobSlots, AreAsManyAsTheCoresHoldOfRunsWithSoManyThreads) {
  EXPECT_THAT(threads_of(job_slots(0, 9, 1, {.cores = 2})), ElementsAre(1, 1));
  EXPECT_THAT(threads_of(job_slots(0, 9, 16, {.cores = 2})), ElementsAre(0));
}

TEST(JobSlots, TakeTheGpusInTurn) {
  EXPECT_THAT(gpus_of(job_slots(0, 9, 0, {16, {"0", "2"}})), ElementsAre("0", "2"));
  EXPECT_THAT(gpus_of(job_slots(3, 9, 0, {16, {"0", "2"}})), ElementsAre("0", "2", "0"));
}

TEST(VisibleGpus, AreThoseOfTheEnvironment) {
  const ::dualdepth::testing::EnvironmentVariable variable("CUDA_VISIBLE_DEVICES", "3,GPU-1f");
  EXPECT_THAT(visible_gpus(), ElementsAre("3", "GPU-1f"));
}

TEST(VisibleGpus, OfAnEmptyListAreNone) {
  const ::dualdepth::testing::EnvironmentVariable variable("CUDA_VISIBLE_DEVICES", "");
  EXPECT_THAT(visible_gpus(), IsEmpty());
}

TEST(VisibleGpus, AreCountedByTheDriversFolders) {
  const ::dualdepth::testing::TempFolder driver;
  std::filesystem::create_directories(driver / "0000:00:04.0");
  std::filesystem::create_directories(driver / "0000:00:05.0");
  const ::dualdepth::testing::EnvironmentVariable put_back("CUDA_VISIBLE_DEVICES", "");
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_THAT(visible_gpus(driver.path().string()), ElementsAre("0", "1"));
  EXPECT_THAT(visible_gpus((driver / "none").string()), IsEmpty());
}

}  // namespace
}  // namespace dualdepth::study
