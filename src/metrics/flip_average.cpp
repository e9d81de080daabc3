#include "dualdepth/metrics/flip_average.h"

#include <algorithm>
#include <cassert>

namespace dualdepth {
namespace {

// m(x) of the header.
double border_weight(double x) { return 1 - std::clamp(20 * (x - 0.05), 0.0, 1.0); }

}  // namespace

cv::Mat flip_average(const cv::Mat& direct, const cv::Mat& mirrored) {
  assert(direct.type() == CV_32FC1 && mirrored.type() == CV_32FC1);
  assert(direct.size() == mirrored.size());
  const int width = direct.cols;
  cv::Mat blended(direct.size(), CV_32FC1);
  for (int x = 0; x < width; ++x) {
    const double place = width > 1 ? x / static_cast<double>(width - 1) : 0.5;
    const double left = border_weight(place);
    const double right = border_weight(1 - place);
    const double of_direct = right + (1 - left - right) / 2;
    for (int y = 0; y < direct.rows; ++y) {
      const double d = direct.at<float>(y, x);
      const double m = mirrored.at<float>(y, width - 1 - x);
      blended.at<float>(y, x) = static_cast<float>(of_direct * d + (1 - of_direct) * m);
    }
  }
  return blended;
}

}  // namespace dualdepth
