#include "dualdepth/io/encode_image.h"

#include <fmt/format.h>
#include <spng.h>
#include <turbojpeg.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace dualdepth {
namespace {

// As fast to write as it is to read; higher levels of zlib save a few percent for several times the
// time.
constexpr int kPngCompression = 1;

spng_ihdr png_header(const cv::Mat& picture) {
  constexpr std::array<uint8_t, 5> kColorTypes{
      0, SPNG_COLOR_TYPE_GRAYSCALE, 0, SPNG_COLOR_TYPE_TRUECOLOR, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
  CV_Assert(picture.type() == CV_16UC1 || picture.type() == CV_8UC1 || picture.type() == CV_8UC3 ||
            picture.type() == CV_8UC4);
  return {.width = static_cast<uint32_t>(picture.cols),
          .height = static_cast<uint32_t>(picture.rows),
          .bit_depth = static_cast<uint8_t>(8 * picture.elemSize1()),
          .color_type = kColorTypes.at(static_cast<size_t>(picture.channels())),
          .compression_method = 0,
          .filter_method = 0,
          .interlace_method = SPNG_INTERLACE_NONE};
}

void check_png(int code) {
  if (code != 0) throw std::runtime_error(fmt::format("PNG: {}", spng_strerror(code)));
}

struct Free {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
  void operator()(void* bytes) const { std::free(bytes); }  // NOLINT(cppcoreguidelines-no-malloc)
};

struct FreeJpeg {
  void operator()(void* compressor) const { tjDestroy(compressor); }
  void operator()(unsigned char* bytes) const { tjFree(bytes); }
};

}  // namespace

std::string encode_png(const cv::Mat& picture) {
  const cv::Mat rows = picture.isContinuous() ? picture : picture.clone();
  spng_ihdr header = png_header(rows);
  const std::unique_ptr<spng_ctx, Free> context(spng_ctx_new(SPNG_CTX_ENCODER));
  check_png(spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1));
  check_png(spng_set_option(context.get(), SPNG_IMG_COMPRESSION_LEVEL, kPngCompression));
  check_png(spng_set_option(context.get(), SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_SUB));
  check_png(spng_set_ihdr(context.get(), &header));
  check_png(spng_encode_image(context.get(), rows.data, rows.total() * rows.elemSize(),
                              SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE));
  size_t size = 0;
  int code = 0;
  const std::unique_ptr<void, Free> bytes(spng_get_png_buffer(context.get(), &size, &code));
  check_png(code);
  return {static_cast<const char*>(bytes.get()), size};
}

std::string encode_jpeg(const cv::Mat& picture, int quality) {
  const bool grey = picture.type() == CV_8UC1;
  CV_Assert(grey || picture.type() == CV_8UC3);
  const std::unique_ptr<void, FreeJpeg> compressor(tjInitCompress());
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  const int code =
      tjCompress2(compressor.get(), picture.data, picture.cols, static_cast<int>(picture.step),
                  picture.rows, grey ? TJPF_GRAY : TJPF_RGB, &memory, &size,
                  grey ? TJSAMP_GRAY : TJSAMP_420, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, FreeJpeg> bytes(memory);
  if (code != 0) {
    throw std::runtime_error(fmt::format("JPEG: {}", tjGetErrorStr2(compressor.get())));
  }
  return {reinterpret_cast<const char*>(bytes.get()), size};
}

}  // namespace dualdepth
