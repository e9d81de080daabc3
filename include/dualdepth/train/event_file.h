#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <string_view>

namespace dualdepth {

// CRC-32C (Castagnoli) of these bytes, as RFC 3720 defines it.
uint32_t crc32c(std::span<const std::byte> bytes);

// Writes a file that `tensorboard --logdir FOLDER` opens: TFRecord frames
//
//   uint64 length, uint32 masked_crc(length), bytes, uint32 masked_crc(bytes)
//   masked_crc(x) = rotate_right(crc32c(x), 15) + 0xa282ead8
//
// around Event messages (src/train/event.proto). A record reaches the file whole or, when the
// program is killed, cut short at the end, which readers pass over.
class EventFile {
 public:
  // Makes FOLDER/events.out.tfevents.<time>.dualdepth.<process>. `first_step` > 0 says that the
  // run was resumed there: TensorBoard then drops what older files hold from that step on.
  // Throws Error when the folder cannot be written.
  EventFile(const std::filesystem::path& folder, int64_t first_step);

  // Values that are not finite are left out.
  void add_scalar(std::string_view tag, double value, int64_t step);

  // rgb: CV_8UC3.
  void add_image(std::string_view tag, const cv::Mat& rgb, int64_t step);

  // counts[k]: how often level k was seen.
  void add_level_histogram(std::string_view tag, std::span<const int64_t> counts, int64_t step);

  // Hands what was added to the system. Throws Error when the disk is full.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void write_record(const std::string& bytes);

  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace dualdepth
