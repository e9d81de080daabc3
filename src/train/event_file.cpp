#include "dualdepth/train/event_file.h"

#include <isa-l/crc.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cmath>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/encode_image.h"
#include "train/event.pb.h"

namespace dualdepth {
namespace {

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

event_file::Event event_at(int64_t step) {
  event_file::Event event;
  event.set_wall_time(seconds_since_1970());
  event.set_step(step);
  return event;
}

event_file::Value& new_value(event_file::Event& event, std::string_view tag) {
  event_file::Value* value = event.mutable_summary()->add_value();
  value->set_tag(std::string(tag));
  return *value;
}

uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(std::as_bytes(std::span(bytes))), 15) + 0xa282ead8U;
}

// TFRecord is little-endian.
template <class Unsigned>
std::string little_endian(Unsigned value) {
  std::string bytes(sizeof(value), '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value = static_cast<Unsigned>(value >> 8);
  }
  return bytes;
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes) {
  // isa-l's signature lacks a const: it only reads.
  auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~0U);
}

EventFile::EventFile(const std::filesystem::path& folder, int64_t first_step) {
  make_writable_folder(folder);
  path_ = folder /
          ("events.out.tfevents." + std::to_string(static_cast<int64_t>(seconds_since_1970())) +
           ".dualdepth." + std::to_string(::getpid()));
  stream_.open(path_, std::ios::binary | std::ios::app);
  event_file::Event version = event_at(0);
  version.set_file_version("brain.Event:2");
  write_record(version.SerializeAsString());
  if (first_step > 0) {
    event_file::Event start = event_at(first_step);
    start.mutable_session_log()->set_status(event_file::SessionLog::START);
    write_record(start.SerializeAsString());
  }
  flush();
}

void EventFile::add_scalar(std::string_view tag, double value, int64_t step) {
  if (!std::isfinite(value)) return;
  event_file::Event event = event_at(step);
  new_value(event, tag).set_simple_value(static_cast<float>(value));
  write_record(event.SerializeAsString());
}

void EventFile::add_image(std::string_view tag, const cv::Mat& rgb, int64_t step) {
  event_file::Event event = event_at(step);
  event_file::Image& image = *new_value(event, tag).mutable_image();
  image.set_height(rgb.rows);
  image.set_width(rgb.cols);
  image.set_colorspace(3);
  image.set_encoded_image_string(encode_png(rgb));
  write_record(event.SerializeAsString());
}

void EventFile::add_level_histogram(std::string_view tag, std::span<const int64_t> counts,
                                    int64_t step) {
  event_file::Event event = event_at(step);
  event_file::Histogram& histogram = *new_value(event, tag).mutable_histo();
  bool seen = false;
  for (size_t level = 0; level < counts.size(); ++level) {
    const auto value = static_cast<double>(level);
    const auto count = static_cast<double>(counts[level]);
    histogram.add_bucket_limit(value + 0.5);
    histogram.add_bucket(count);
    if (counts[level] == 0) continue;
    if (!seen) histogram.set_min(value);
    seen = true;
    histogram.set_max(value);
    histogram.set_num(histogram.num() + count);
    histogram.set_sum(histogram.sum() + count * value);
    histogram.set_sum_squares(histogram.sum_squares() + count * value * value);
  }
  write_record(event.SerializeAsString());
}

void EventFile::write_record(const std::string& bytes) {
  const std::string length = little_endian(static_cast<uint64_t>(bytes.size()));
  stream_ << length << little_endian(masked_crc(length)) << bytes
          << little_endian(masked_crc(bytes));
}

void EventFile::flush() {
  stream_.flush();
  if (!stream_) {
    throw Error({.subject = path_.string(),
                 .expected = "to append to this file",
                 .got = "a failed write",
                 .fix = "free some disk space or check the folder's permissions"});
  }
}

}  // namespace dualdepth
