#include "dualdepth/io/velodyne.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {

static_assert(std::endian::native == std::endian::little, "points are stored little-endian");
static_assert(sizeof(cv::Vec4f) == 16);

std::vector<cv::Vec4f> read_velodyne(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  if (bytes.empty() || bytes.size() % sizeof(cv::Vec4f) != 0) {
    throw Error({.subject = file.string(),
                 .expected = "a multiple of 16 bytes (float32 x, y, z, reflectance)",
                 .got = std::to_string(bytes.size()) + " bytes",
                 .fix = "fetch the file again"});
  }
  std::vector<cv::Vec4f> points(bytes.size() / sizeof(cv::Vec4f));
  std::memcpy(static_cast<void*>(points.data()), bytes.data(), bytes.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const cv::Vec4f& point = points[i];
    if (std::isfinite(point[0]) && std::isfinite(point[1]) && std::isfinite(point[2])) continue;
    throw Error({.subject = file.string(),
                 .expected = "finite coordinates",
                 .got = "others at point " + std::to_string(i),
                 .fix = "the file is damaged or no velodyne sweep"});
  }
  return points;
}

void write_velodyne(const std::filesystem::path& file, const std::vector<cv::Vec4f>& points) {
  AtomicFile output(file, Durability::kBuffered);
  output.write(points.data(), points.size() * sizeof(cv::Vec4f));
  output.commit();
}

}  // namespace dualdepth
