#include "dualdepth/io/grey16_png.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace dualdepth {
namespace {

using Bytes = std::span<const std::byte>;

constexpr size_t kBytesPerPixel = 2;

uint32_t big_endian(Bytes bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

bool equals(Bytes bytes, const char* text) {
  return std::memcmp(bytes.data(), text, bytes.size()) == 0;
}

// What the chunks of a file hold, once all their checksums have been found right.
struct Chunks {
  Bytes header;
  std::vector<uint8_t> compressed;  // the contents of all IDAT
};

std::optional<Chunks> read_chunks(Bytes file) {
  constexpr size_t kSignature = 8, kFrame = 12;  // length, name and checksum of a chunk
  if (file.size() < kSignature || !equals(file.first(kSignature), "\x89PNG\r\n\x1a\n")) return {};
  Chunks chunks;
  for (Bytes rest = file.subspan(kSignature); rest.size() >= kFrame;) {
    const size_t length = big_endian(rest);
    if (length > rest.size() - kFrame) return {};
    const Bytes named = rest.subspan(4, 4 + length);
    const uint32_t checksum = big_endian(rest.subspan(8 + length));
    if (crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(named.data()), named.size()) !=
        checksum) {
      return {};
    }
    const Bytes name = named.first(4), content = named.subspan(4);
    if (equals(name, "IHDR")) {
      if (!chunks.header.empty()) return {};
      chunks.header = content;
    } else if (equals(name, "IDAT")) {
      const auto* begin = reinterpret_cast<const uint8_t*>(content.data());
      chunks.compressed.insert(chunks.compressed.end(), begin, begin + content.size());
    } else if (equals(name, "IEND")) {
      return chunks;
    } else if ((std::to_integer<int>(name[0]) & 0x20) == 0) {
      return {};  // a chunk that must be understood
    }
    rest = rest.subspan(kFrame + length);
  }
  return {};  // no end mark
}

// True when exactly `size` bytes come out and their checksum is right.
bool inflate(const std::vector<uint8_t>& compressed, uint8_t* out, size_t size) {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_ZLIB;
  state->next_in = const_cast<uint8_t*>(compressed.data());  // isa-l only reads it
  state->avail_in = static_cast<uint32_t>(compressed.size());
  state->next_out = out;
  state->avail_out = static_cast<uint32_t>(size);
  return isal_inflate_stateless(state.get()) == ISAL_DECOMP_OK && state->total_out == size;
}

uint8_t paeth(int left, int up, int corner) {
  const int estimate = left + up - corner;
  const int to_left = std::abs(estimate - left);
  const int to_up = std::abs(estimate - up);
  const int to_corner = std::abs(estimate - corner);
  if (to_left <= to_up && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_up <= to_corner ? up : corner);
}

// Undoes a row's filter (PNG specification, section 9) in place. `up` is the row above, zeros for
// the first. False for a filter that does not exist.
bool unfilter(int filter, uint8_t* row, const uint8_t* up, size_t size) {
  const auto add = [row](size_t i, int value) { row[i] = static_cast<uint8_t>(row[i] + value); };
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (size_t i = kBytesPerPixel; i < size; ++i) add(i, row[i - kBytesPerPixel]);
      return true;
    case 2:
      for (size_t i = 0; i < size; ++i) add(i, up[i]);
      return true;
    case 3:
      for (size_t i = 0; i < size; ++i) {
        const int left = i < kBytesPerPixel ? 0 : row[i - kBytesPerPixel];
        add(i, (left + up[i]) / 2);
      }
      return true;
    case 4:
      for (size_t i = 0; i < size; ++i) {
        const bool first = i < kBytesPerPixel;
        const int left = first ? 0 : row[i - kBytesPerPixel];
        const int corner = first ? 0 : up[i - kBytesPerPixel];
        add(i, paeth(left, up[i], corner));
      }
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<cv::Mat> decode_grey16_png(Bytes bytes, int max_side) {
  const std::optional<Chunks> chunks = read_chunks(bytes);
  constexpr std::array kGrey16 = {std::byte{16}, std::byte{0}, std::byte{0}, std::byte{0},
                                  std::byte{0}};  // bits, colour, compression, filter, interlace
  if (!chunks || chunks->header.size() != 8 + kGrey16.size()) return {};
  if (!std::ranges::equal(chunks->header.subspan(8), kGrey16)) return {};
  const size_t width = big_endian(chunks->header);
  const size_t height = big_endian(chunks->header.subspan(4));
  const auto limit = static_cast<size_t>(max_side);
  if (width == 0 || height == 0 || width > limit || height > limit) return {};

  const size_t row_size = width * kBytesPerPixel;
  const size_t filtered_size = height * (1 + row_size);
  const auto filtered = std::make_unique_for_overwrite<uint8_t[]>(filtered_size);
  if (!inflate(chunks->compressed, filtered.get(), filtered_size)) return {};

  cv::Mat image(static_cast<int>(height), static_cast<int>(width), CV_16UC1);
  const std::vector<uint8_t> zeros(row_size);
  const uint8_t* up = zeros.data();
  for (size_t y = 0; y < height; ++y) {
    uint8_t* row = filtered.get() + y * (1 + row_size) + 1;
    if (!unfilter(row[-1], row, up, row_size)) return {};
    auto* out = image.ptr<uint16_t>(static_cast<int>(y));
    for (size_t x = 0; x < width; ++x) {
      out[x] = static_cast<uint16_t>(row[2 * x] << 8 | row[2 * x + 1]);
    }
    up = row;
  }
  return image;
}

}  // namespace dualdepth
