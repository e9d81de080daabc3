#pragma once

#include <array>
#include <filesystem>
#include <opencv2/core.hpp>
#include <optional>

namespace dualdepth {

// The fisheye model `vadas` of NCDB's near-field camera. In camera axes X forward, Y left, Z up a
// point appears at
//
//   n     = (-Y, -Z)
//   theta = atan2(|n|, X)                              angle to the axis
//   rho   = sum_{i=0..6} k_i (s theta)^i / div         distance from the centre
//   (u, v) = rho n / |n| + (u_x + W/2, u_y + H/2)      W = 1920, H = 1536
//
// in pixels of the 1920x1536 picture; in a picture of another size u and v are scaled by its width
// and height. Points with X < 0 are not seen. The defaults are those of one real camera: it sees
// the whole half space in front of it, with 10 px of a 1920 px wide picture to the degree.
struct VadasCamera {
  static constexpr int kWidth = 1920;
  static constexpr int kHeight = 1536;

  std::array<double, 7> k{-0.0004, 1.0136, -0.0623, 0.2852, -0.332, 0.1896, -0.0391};
  double s = 1.0447;
  double div = 0.0021;
  double u_x = 44.9516;
  double u_y = 2.48822;

  // rho(theta), px of the 1920x1536 picture.
  double radius(double theta) const;

  // The pixel of a point (X, Y, Z) in a picture of this size; nothing for X < 0.
  std::optional<cv::Point2d> project(const cv::Point3d& point, cv::Size size) const;

  // The unit vector towards what appears at (u, v), by bisection to 1e-12 rad; nothing beyond the
  // circle theta = 90 degrees. The inverse of project().
  std::optional<cv::Point3d> direction(double u, double v, cv::Size size) const;
};

// Reads the parameters from text: numbers in the order k_0..k_6, s, div, u_x, u_y, apart by spaces,
// commas, brackets or line ends, as in a JSON list; what follows them is ignored. Throws Error for
// fewer than 11, a word that is no number, a value that is not finite, div or s that is not above
// 0, and a radius that does not grow up to 90 degrees.
VadasCamera read_vadas_camera(const std::filesystem::path& file);

// Writes them as a JSON list.
void write_vadas_camera(const std::filesystem::path& file, const VadasCamera& camera);

}  // namespace dualdepth
