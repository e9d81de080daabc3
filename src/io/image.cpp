#include "dualdepth/io/image.h"

#include <spng.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <span>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/encode_image.h"
#include "dualdepth/io/grey16_png.h"
#include "dualdepth/io/mapped_file.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

using Bytes = std::span<const std::byte>;

constexpr double kDepthUnitsPerMetre = 256;

enum class PictureFormat { kPng, kJpeg };

PictureFormat format_of(const fs::path& file, Bytes bytes) {
  constexpr std::array kPng = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a};
  constexpr std::array kJpeg = {0xff, 0xd8, 0xff};
  const auto starts_with = [&](const auto& signature) {
    return bytes.size() >= signature.size() &&
           std::equal(signature.begin(), signature.end(), bytes.begin(),
                      [](int expected, std::byte got) { return std::byte(expected) == got; });
  };
  if (starts_with(kPng)) return PictureFormat::kPng;
  if (starts_with(kJpeg)) return PictureFormat::kJpeg;
  throw Error({.subject = file.string(),
               .expected = "a PNG or JPEG picture",
               .got = bytes.empty() ? "an empty file" : "a file that starts otherwise",
               .fix = ""});
}

[[noreturn]] void throw_damaged(const fs::path& file, const char* format, const char* reason) {
  throw Error({.subject = file.string(),
               .expected = std::string("a whole ") + format + " picture",
               .got = std::string("a truncated or damaged one (") + reason + ")",
               .fix = "fetch the file again"});
}

std::string size_text(cv::Size size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

void check_largest_side(const fs::path& file, cv::Size size) {
  if (std::max(size.width, size.height) <= kMaxPictureSide) return;
  throw Error({.subject = file.string(),
               .expected = "at most " + std::to_string(kMaxPictureSide) + " pixels a side",
               .got = size_text(size),
               .fix = ""});
}

void check_smallest_side(const fs::path& file, cv::Size size) {
  if (std::min(size.width, size.height) >= kMinPictureSide) return;
  throw Error({.subject = file.string(),
               .expected = "a picture of at least " + std::to_string(kMinPictureSide) + "x" +
                           std::to_string(kMinPictureSide) + " pixels",
               .got = size_text(size),
               .fix = ""});
}

class PngDecoder {
 public:
  PngDecoder(const fs::path& file, Bytes bytes) : file_(file), context_(spng_ctx_new(0)) {
    constexpr size_t kMaxChunk = size_t{16} << 20;
    check(spng_set_chunk_limits(context_.get(), kMaxChunk, kMaxChunk));
    check(spng_set_png_buffer(context_.get(), bytes.data(), bytes.size()));
    check(spng_get_ihdr(context_.get(), &header_));
    check_largest_side(file, size());
  }

  const spng_ihdr& header() const { return header_; }

  cv::Size size() const {
    constexpr uint32_t kMaxInt = 0x7fffffff;  // the format's own limit
    return {static_cast<int>(std::min(header_.width, kMaxInt)),
            static_cast<int>(std::min(header_.height, kMaxInt))};
  }

  // Fills `image`, which has the picture's size and `format`'s type, and reads on to the end mark.
  void decode(spng_format format, cv::Mat& image) {
    check(
        spng_decode_image(context_.get(), image.data, image.total() * image.elemSize(), format, 0));
    check(spng_decode_chunks(context_.get()));
  }

 private:
  void check(int code) const {
    if (code != SPNG_OK) throw_damaged(file_, "PNG", spng_strerror(code));
  }

  struct Free {
    void operator()(spng_ctx* context) const { spng_ctx_free(context); }
  };

  const fs::path& file_;
  std::unique_ptr<spng_ctx, Free> context_;
  spng_ihdr header_ = {};
};

class JpegDecoder {
 public:
  JpegDecoder(const fs::path& file, Bytes bytes)
      : file_(file),
        data_(reinterpret_cast<const unsigned char*>(bytes.data())),
        length_(bytes.size()),
        handle_(tjInitDecompress()) {
    int subsampling = 0;
    int color_space = 0;
    check(tjDecompressHeader3(handle_.get(), data_, length_, &size_.width, &size_.height,
                              &subsampling, &color_space));
    if (size_.empty()) throw_damaged(file, "JPEG", "no frame header");
    check_largest_side(file, size_);
    if (color_space == TJCS_CMYK || color_space == TJCS_YCCK) {
      throw Error({.subject = file.string(),
                   .expected = "a JPEG in RGB, YCbCr or grey",
                   .got = "one in CMYK",
                   .fix = "convert the picture to RGB"});
    }
  }

  cv::Size size() const { return size_; }

  // The smallest size of at least `wanted` that is decoded faster than the whole. libjpeg-turbo has
  // vector code only for 1/2, 1/4 and 1/8; 5/8 of a KITTI frame takes longer than all of it.
  cv::Size reduced_size(cv::Size wanted) const {
    int count = 0;
    const tjscalingfactor* factors = tjGetScalingFactors(&count);
    cv::Size best = size_;
    for (const tjscalingfactor& factor : std::span(factors, static_cast<size_t>(count))) {
      if (factor.num != 1) continue;
      const cv::Size scaled(TJSCALED(size_.width, factor), TJSCALED(size_.height, factor));
      if (scaled.width >= wanted.width && scaled.height >= wanted.height &&
          scaled.area() < best.area()) {
        best = scaled;
      }
    }
    return best;
  }

  cv::Mat decode(cv::Size at) {
    cv::Mat image(at, CV_8UC3);
    check(tjDecompress2(handle_.get(), data_, length_, image.data, at.width,
                        static_cast<int>(image.step), at.height, TJPF_RGB, TJFLAG_ACCURATEDCT));
    return image;
  }

 private:
  // libjpeg's warnings count as well: with them the picture comes out grey from some row on.
  void check(int code) {
    if (code != 0) throw_damaged(file_, "JPEG", tjGetErrorStr2(handle_.get()));
  }

  struct Free {
    void operator()(void* handle) const { tjDestroy(handle); }
  };

  const fs::path& file_;
  const unsigned char* data_;
  unsigned long length_;
  std::unique_ptr<void, Free> handle_;
  cv::Size size_;
};

Bytes bytes_of(const std::string& contents) { return std::as_bytes(std::span(contents)); }

// The general decoder, for what decode_grey16_png does not take: it says what is wrong.
cv::Mat decode_depth_png(const fs::path& file, Bytes bytes) {
  constexpr const char* kExpected = "a 16-bit grey PNG of metres * 256";
  if (format_of(file, bytes) != PictureFormat::kPng) {
    throw Error({.subject = file.string(), .expected = kExpected, .got = "a JPEG", .fix = ""});
  }
  PngDecoder decoder(file, bytes);
  const spng_ihdr& header = decoder.header();
  const bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE;
  if (!grey || header.bit_depth != 16) {
    throw Error({.subject = file.string(),
                 .expected = kExpected,
                 .got = std::to_string(header.bit_depth) + "-bit " + (grey ? "grey" : "colour"),
                 .fix = "write depth as uint16; 8 bits cannot hold it"});
  }
  cv::Mat units(decoder.size(), CV_16UC1);
  decoder.decode(SPNG_FMT_PNG, units);
  return units;
}

void write_encoded(const fs::path& file, const std::string& encoded) {
  AtomicFile output(file, Durability::kBuffered);
  output.write(encoded.data(), encoded.size());
  output.commit();
}

}  // namespace

cv::Mat read_rgb_reduced(const fs::path& file, cv::Size wanted) {
  const std::string contents = read_file(file);
  if (format_of(file, bytes_of(contents)) == PictureFormat::kJpeg) {
    JpegDecoder decoder(file, bytes_of(contents));
    check_smallest_side(file, decoder.size());
    return decoder.decode(decoder.reduced_size(wanted));
  }
  PngDecoder decoder(file, bytes_of(contents));
  check_smallest_side(file, decoder.size());
  cv::Mat image(decoder.size(), CV_8UC3);
  decoder.decode(SPNG_FMT_RGB8, image);
  return image;
}

cv::Mat read_rgb(const fs::path& file) {
  return read_rgb_reduced(file, {kMaxPictureSide, kMaxPictureSide});
}

cv::Mat read_mask(const fs::path& file) {
  cv::Mat black;
  cv::inRange(read_rgb(file), cv::Scalar::all(0), cv::Scalar::all(0), black);
  return 255 - black;
}

cv::Size read_image_size(const fs::path& file) {
  const MappedFile mapped(file);
  if (format_of(file, mapped.bytes()) == PictureFormat::kPng) {
    return PngDecoder(file, mapped.bytes()).size();
  }
  return JpegDecoder(file, mapped.bytes()).size();
}

cv::Mat read_depth_png(const fs::path& file) {
  const std::string contents = read_file(file);
  const Bytes bytes = bytes_of(contents);
  const std::optional<cv::Mat> fast = decode_grey16_png(bytes, kMaxPictureSide);
  const cv::Mat units = fast ? *fast : decode_depth_png(file, bytes);
  cv::Mat depth;
  units.convertTo(depth, CV_32F, 1 / kDepthUnitsPerMetre);
  return depth;
}

void write_rgb(const fs::path& file, const cv::Mat& rgb) {
  const std::string extension = file.extension().string();
  if (extension != ".png" && extension != ".jpg" && extension != ".jpeg") {
    throw Error({.subject = file.string(),
                 .expected = "a name ending in .png, .jpg or .jpeg",
                 .got = extension.empty() ? "none of them" : extension,
                 .fix = ""});
  }
  write_encoded(file, extension == ".png" ? encode_png(rgb) : encode_jpeg(rgb));
}

void write_depth_png(const fs::path& file, const cv::Mat& depth) {
  CV_Assert(depth.type() == CV_32FC1);
  constexpr double kMaxDepth = 65535 / kDepthUnitsPerMetre;
  const cv::Mat valid = (depth > 0) & (depth < std::numeric_limits<double>::infinity());
  cv::Mat clamped;
  cv::min(depth, kMaxDepth, clamped);
  clamped.setTo(0, ~valid);
  cv::Mat units;
  clamped.convertTo(units, CV_16U, kDepthUnitsPerMetre);  // rounds
  write_encoded(file, encode_png(units));
}

}  // namespace dualdepth
