#include "dualdepth/train/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/interop_python.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;

uint32_t crc_of(std::string_view text) { return crc32c(std::as_bytes(std::span(text))); }

// RFC 3720 appendix B.4, and the check value of the CRC catalogue ("123456789").
TEST(Crc32c, HasThePublishedValues) {
  EXPECT_EQ(crc_of(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc_of(std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc_of("123456789"), 0xE3069283U);
  EXPECT_EQ(crc_of(""), 0U);
}

// The first record of any event file that TensorFlow writes: Event{wall_time, file_version}.
TEST(EventFile, BeginsWithTheVersionRecord) {
  const testing::TempFolder folder;
  const EventFile file(folder.path(), 0);
  const std::string bytes = read_file(file.path());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  // wall_time: tag and 8 bytes; file_version: tag, length and 13 characters.
  EXPECT_EQ(length, 9 + 2 + 13U);
  EXPECT_EQ(bytes.size(), 8 + 4 + length + 4);
  // The masked CRC of 24 as uint64, by Python's tensorboard.
  uint32_t length_crc = 0;
  std::memcpy(&length_crc, bytes.data() + 8, sizeof(length_crc));
  EXPECT_EQ(length_crc, 0x224B7FA3U);
  EXPECT_EQ(bytes.substr(12 + 11, 13), "brain.Event:2");
}

TEST(EventFile, IsReadByTensorboard) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  {
    EventFile file(folder.path(), 0);
    file.add_scalar("train/loss", 4.5, 10);
    file.add_scalar("train/loss", std::numeric_limits<double>::quiet_NaN(), 20);
    file.add_scalar("train/loss", 3.25, 30);
    file.add_image("panel", cv::Mat(32, 48, CV_8UC3, cv::Scalar(255, 128, 0)), 30);
    file.add_level_histogram("levels", std::vector<int64_t>{0, 2, 0, 1}, 30);
    file.flush();
  }
  const auto result = testing::run_interop_script("train/read_events.py", folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("scalar train/loss [(10, 4.5), (30, 3.25)]"));
  EXPECT_THAT(result.output, HasSubstr("image panel 30 True (255, 128, 0)"));
  EXPECT_THAT(result.output, HasSubstr("histogram levels 30 1.0 3.0 3.0 5.0 11.0 "
                                       "[0.5, 1.5, 2.5, 3.5] [0.0, 2.0, 0.0, 1.0]"));
}

TEST(EventFile, AResumedRunReplacesWhatOlderFilesHoldFromItsStepOn) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  {
    EventFile before(folder.path(), 0);
    before.add_scalar("loss", 1, 10);
    before.add_scalar("loss", 2, 20);
    before.flush();
    // The second of a name is what tells the files apart and orders them.
    std::filesystem::rename(before.path(), folder / "events.out.tfevents.1000000000.dualdepth.1");
    EventFile after(folder.path(), 11);
    after.add_scalar("loss", 3, 20);
    after.flush();
  }
  const auto result = testing::run_interop_script("train/read_events.py", folder.path());
  EXPECT_THAT(result.output, HasSubstr("scalar loss [(10, 1.0), (20, 3.0)]"));
}

TEST(EventFile, AFolderThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(EventFile("/proc/none", 0), Error);
}

}  // namespace
}  // namespace dualdepth
