#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

#include "dualdepth/data/synthetic_camera.h"
#include "dualdepth/data/synthetic_scene.h"

namespace dualdepth::synthetic {

// What turns radiance into the numbers of a picture.
struct Sensor {
  float exposure = 1.0F;
  float noise = 1.5F;      // standard deviation in the shadows, of 255
  float vignette = 0.25F;  // light lost in the corners, 0..1
  uint64_t seed = 0;       // of the noise
};

struct Rendering {
  cv::Mat rgb;    // CV_8UC3, RGB
  cv::Mat depth;  // CV_64FC1, metres along the camera's forward axis at each pixel's centre; 0: sky
  cv::Mat distance;  // CV_64FC1, the same from the camera
  cv::Mat objects;   // CV_32SC1, which of the scene's objects is seen; kNoObject: ground or sky
  static constexpr int kNoObject = -1;
};

// Casts one ray through the centre of each pixel, three more where neighbours see different
// surfaces (edges are smooth in the picture, exact in depth), and one from each hit to the sun.
// A pure function of its arguments.
Rendering render(const Scene& scene, const Camera& camera, const Sensor& sensor);

// The depth at (u, v), which need not be a pixel's centre; 0: nothing there.
double depth_at(const Scene& scene, const Camera& camera, double u, double v);

}  // namespace dualdepth::synthetic
