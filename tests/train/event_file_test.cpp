#include "dualdepth/train/event_file.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

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

TEST(EventFile, AFolderThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(EventFile("/proc/none", 0), Error);
}

}  // namespace
}  // namespace dualdepth
