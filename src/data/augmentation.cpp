#include "dualdepth/data/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace dualdepth {
namespace {

constexpr std::array kLuma = {0.299, 0.587, 0.114};

double luma(const cv::Vec3d& rgb) {
  return kLuma[0] * rgb[0] + kLuma[1] * rgb[1] + kLuma[2] * rgb[2];
}

// Mixes each colour with its own luma: share * x + (1 - share) * luma(x).
cv::Matx33d saturation_matrix(double share) {
  cv::Matx33d matrix = share * cv::Matx33d::eye();
  for (int row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      matrix(row, static_cast<int>(column)) += (1 - share) * kLuma[column];
    }
  }
  return matrix;
}

// Turns the chroma plane of NTSC's YIQ and leaves luma as it is.
cv::Matx33d hue_matrix(double turns) {
  const cv::Matx33d to_yiq(0.299, 0.587, 0.114,    // Y
                           0.596, -0.274, -0.322,  // I
                           0.211, -0.523, 0.312);  // Q
  const double angle = 2 * std::numbers::pi * turns;
  const cv::Matx33d turn(1, 0, 0, 0, std::cos(angle), -std::sin(angle), 0, std::sin(angle),
                         std::cos(angle));
  return to_yiq.inv() * turn * to_yiq;
}

void write_mapped(const cv::Mat& rgb, const ColorMap& map, float* image) {
  const cv::Matx33f m = map.matrix * (1.0F / 255);
  const cv::Vec3f o = map.offset;
  const auto clamp = [](float value) { return std::min(std::max(value, 0.0F), 1.0F); };
  for (int y = 0; y < rgb.rows; ++y) {
    const uchar* in = rgb.ptr<uchar>(y);
    for (int x = 0; x < rgb.cols; ++x, in += 3, image += 3) {
      const float r = in[0], g = in[1], b = in[2];
      image[0] = clamp(m(0, 0) * r + m(0, 1) * g + m(0, 2) * b + o[0]);
      image[1] = clamp(m(1, 0) * r + m(1, 1) * g + m(1, 2) * b + o[1]);
      image[2] = clamp(m(2, 0) * r + m(2, 1) * g + m(2, 2) * b + o[2]);
    }
  }
}

bool changes_colour(const Augmentation& a) {
  return a.brightness != 1 || a.contrast != 1 || a.saturation != 1 || a.hue != 0;
}

}  // namespace

Augmentation draw_augmentation(const AugmentationOptions& options, RandomStream stream) {
  Augmentation drawn;
  drawn.flip = stream.chance(options.flip);
  const bool jitter = stream.chance(options.jitter);
  const auto around = [&](double middle, double reach) {
    return middle + (jitter ? reach : 0.0) * stream.uniform(-1, 1);
  };
  drawn.brightness = around(1, options.brightness);
  drawn.contrast = around(1, options.contrast);
  drawn.saturation = around(1, options.saturation);
  drawn.hue = around(0, options.hue);
  const bool zoom = stream.chance(options.crop_zoom);
  const double enlargement = stream.uniform(1, options.max_zoom);
  if (zoom) drawn.zoom = enlargement;
  drawn.zoom_left = stream.uniform();
  drawn.zoom_top = stream.uniform();
  return drawn;
}

cv::Rect zoom_region(const Augmentation& augmentation, cv::Rect region) {
  const int width = static_cast<int>(std::lround(region.width / augmentation.zoom));
  const int height = static_cast<int>(std::lround(region.height / augmentation.zoom));
  const auto place = [](int free, double share) {
    return std::min(free, static_cast<int>(share * (free + 1)));
  };
  return {region.x + place(region.width - width, augmentation.zoom_left),
          region.y + place(region.height - height, augmentation.zoom_top), width, height};
}

ColorMap color_map(const Augmentation& a, const cv::Vec3d& mean) {
  const cv::Matx33d chroma = hue_matrix(a.hue) * saturation_matrix(a.saturation);
  const double grey = (1 - a.contrast) * a.brightness * luma(mean);
  // A grey passes saturation and hue unchanged, so the contrast's offset does.
  return {.matrix = cv::Matx33f(a.brightness * a.contrast * chroma),
          .offset = cv::Vec3f::all(static_cast<float>(grey))};
}

void write_augmented(const cv::Mat& rgb, const Augmentation& augmentation, float* image) {
  cv::Mat mirrored;
  if (augmentation.flip) cv::flip(rgb, mirrored, 1);
  const cv::Mat& source = augmentation.flip ? mirrored : rgb;
  if (changes_colour(augmentation)) {
    const cv::Scalar mean = cv::mean(source) / 255;
    write_mapped(source, color_map(augmentation, {mean[0], mean[1], mean[2]}), image);
    return;
  }
  cv::Mat target(rgb.size(), CV_32FC3, image);
  source.convertTo(target, CV_32F, 1.0 / 255);
}

SparseDepth augment_truth(const SparseDepth& truth, const Augmentation& augmentation, int width) {
  if (!augmentation.flip) return truth;
  SparseDepth mirrored = truth;
  size_t begin = 0;
  while (begin < truth.pixels.size()) {  // row by row, so that the order stays ascending
    const int32_t row_start = truth.pixels[begin] / width * width;
    size_t end = begin;
    while (end < truth.pixels.size() && truth.pixels[end] < row_start + width) ++end;
    for (size_t i = begin; i < end; ++i) {
      const size_t mirror = begin + (end - 1 - i);
      mirrored.pixels[mirror] = 2 * row_start + width - 1 - truth.pixels[i];
      mirrored.depths[mirror] = truth.depths[i];
    }
    begin = end;
  }
  return mirrored;
}

SparseDepth draw_truth(const SparseDepth& truth, size_t count, RandomStream stream) {
  if (truth.pixels.size() <= count) return truth;
  SparseDepth drawn;
  drawn.pixels.reserve(count);
  drawn.depths.reserve(count);
  for (size_t i = 0; drawn.pixels.size() < count; ++i) {
    const auto left = static_cast<double>(truth.pixels.size() - i);
    const auto needed = static_cast<double>(count - drawn.pixels.size());
    if (left * stream.uniform() >= needed) continue;
    drawn.pixels.push_back(truth.pixels[i]);
    drawn.depths.push_back(truth.depths[i]);
  }
  return drawn;
}

}  // namespace dualdepth
