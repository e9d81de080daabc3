#include "dualdepth/io/ply.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"

namespace dualdepth {
namespace {

static_assert(std::endian::native == std::endian::little, "points are stored little-endian");

struct __attribute__((packed)) Point {
  float x, y, z;
  uint8_t red, green, blue;
};
static_assert(sizeof(Point) == 15);

std::vector<Point> colored_points(const cv::Mat& depth, const cv::Mat& rgb,
                                  const PixelToPoint& point_of, int stride) {
  std::vector<Point> points;
  for (int v = 0; v < depth.rows; v += stride) {
    for (int u = 0; u < depth.cols; u += stride) {
      const float z = depth.at<float>(v, u);
      if (!std::isfinite(z) || z <= 0) continue;
      const auto point = point_of(u, v, z);
      if (!point) continue;
      const auto& color = rgb.at<cv::Vec3b>(v, u);
      points.push_back({.x = static_cast<float>(point->x),
                        .y = static_cast<float>(point->y),
                        .z = static_cast<float>(point->z),
                        .red = color[0],
                        .green = color[1],
                        .blue = color[2]});
    }
  }
  return points;
}

}  // namespace

PixelToPoint pinhole_points(const Intrinsics& intrinsics) {
  CV_Assert(intrinsics.fx > 0 && intrinsics.fy > 0);
  return [k = intrinsics](double u, double v, double depth) -> std::optional<cv::Point3d> {
    return cv::Point3d((u - k.cx) / k.fx * depth, (v - k.cy) / k.fy * depth, depth);
  };
}

PixelToPoint vadas_points(const VadasCamera& camera, cv::Size size) {
  return [camera, size](double u, double v, double depth) -> std::optional<cv::Point3d> {
    const auto direction = camera.direction(u, v, size);
    if (!direction || direction->x <= 0) return std::nullopt;
    const double distance = depth / direction->x;
    return cv::Point3d(-direction->y * distance, -direction->z * distance, depth);
  };
}

void write_point_cloud(const std::filesystem::path& file, const cv::Mat& depth, const cv::Mat& rgb,
                       const PixelToPoint& point_of, int stride) {
  CV_Assert(depth.type() == CV_32FC1 && rgb.type() == CV_8UC3 && depth.size() == rgb.size());
  CV_Assert(stride > 0);
  const std::vector<Point> points = colored_points(depth, rgb, point_of, stride);
  AtomicFile output(file, Durability::kBuffered);
  output.write(
      "ply\n"
      "format binary_little_endian 1.0\n"
      "comment metres; x right, y down, z forward\n"
      "element vertex " +
      std::to_string(points.size()) +
      "\n"
      "property float x\n"
      "property float y\n"
      "property float z\n"
      "property uchar red\n"
      "property uchar green\n"
      "property uchar blue\n"
      "end_header\n");
  output.write(points.data(), points.size() * sizeof(Point));
  output.commit();
}

}  // namespace dualdepth
