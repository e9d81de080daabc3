#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

#include "dualdepth/data/synthetic_camera.h"
#include "dualdepth/data/synthetic_scene.h"

namespace dualdepth::synthetic {

// A LiDAR that turns a fan of beams about its up axis, by default like KITTI's Velodyne HDL-64E.
// Only the part of the turn in front is measured: that which a camera sees.
struct Lidar {
  int beams = 64;
  double highest = 2.0;        // elevation of the first beam, degrees
  double lowest = -24.8;       // of the last one, degrees
  double half_view = 45;       // to both sides of forward, degrees
  double azimuth_step = 0.16;  // degrees
  double max_range = 80;       // m
  double loss = 0.06;          // share of pulses without an answer; glass answers to few
  uint64_t seed = 0;
};

// One sweep: x, y, z in the LiDAR's own axes (x forward, y left, z up; metres, exact to float's
// rounding) and reflectance 0..1, beam by beam.
std::vector<cv::Vec4f> scan(const Scene& scene, const Pose& pose, const Lidar& lidar);

// Keeps the depth of the pixels on which a point of the sweep falls, as far as `max_range` (m along
// the camera's axis). The value is that of the pixel's centre, so sparse and dense depth agree.
// `lidar`: where it sits in the camera's axes.
cv::Mat1f keep_measured(const cv::Mat1f& dense, const std::vector<cv::Vec4f>& sweep,
                        const Pose& lidar, const Camera& camera, double max_range);

}  // namespace dualdepth::synthetic
