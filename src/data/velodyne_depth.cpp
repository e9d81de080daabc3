#include "dualdepth/data/velodyne_depth.h"

#include <cmath>

namespace dualdepth {

cv::Mat project_velodyne(std::span<const cv::Vec4f> points, const KittiCamera& camera,
                         cv::Size size, ProjectionKind projection) {
  const cv::Matx34d to_picture = camera.projection * camera.velodyne_to_rect;
  const bool eigen = projection == ProjectionKind::kEigen;
  const double pixel_offset = eigen ? -1 : 0;
  cv::Mat depth = cv::Mat::zeros(size, CV_32FC1);
  for (const cv::Vec4f& point : points) {
    const double forward = point[0];
    if (!(forward >= 0)) continue;
    const cv::Vec3d ray = to_picture * cv::Vec4d(point[0], point[1], point[2], 1);
    if (!(ray[2] > 0)) continue;
    const double u = std::nearbyint(ray[0] / ray[2]) + pixel_offset;
    const double v = std::nearbyint(ray[1] / ray[2]) + pixel_offset;
    if (!(u >= 0 && v >= 0 && u < size.width && v < size.height)) continue;
    const auto metres = static_cast<float>(eigen ? forward : ray[2]);
    float& pixel = depth.at<float>(static_cast<int>(v), static_cast<int>(u));
    if (pixel == 0 || metres < pixel) pixel = metres;
  }
  return depth;
}

}  // namespace dualdepth
