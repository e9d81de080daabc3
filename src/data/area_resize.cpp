#include "area_resize.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core/hal/intrin.hpp>
#include <vector>

namespace dualdepth {
namespace {

// The source pixels that one target pixel covers, and the share of each in its mean.
struct Coverage {
  int first = 0;
  std::vector<float> shares;  // sum to 1
};

std::vector<Coverage> coverage_of_each(int source_length, int target_length) {
  std::vector<Coverage> coverages(static_cast<size_t>(target_length));
  const double factor = static_cast<double>(source_length) / target_length;
  for (int i = 0; i < target_length; ++i) {
    const double low = i * factor;
    const double high = std::min((i + 1) * factor, static_cast<double>(source_length));
    Coverage& coverage = coverages[static_cast<size_t>(i)];
    coverage.first = static_cast<int>(low);
    for (int j = coverage.first; j < high; ++j) {
      const double covered = std::min(high, j + 1.0) - std::max(low, static_cast<double>(j));
      coverage.shares.push_back(static_cast<float>(covered / factor));
    }
  }
  return coverages;
}

// mean[i] = sum over the covered rows of share * row[i]
void mean_of_rows(const cv::Mat& rgb, const Coverage& rows, std::vector<float>& mean) {
  const int values = rgb.cols * 3;
  for (size_t j = 0; j < rows.shares.size(); ++j) {
    const uchar* row = rgb.ptr<uchar>(rows.first + static_cast<int>(j));
    const float share = rows.shares[j];
    float* out = mean.data();
    if (j == 0) {
      for (int i = 0; i < values; ++i) out[i] = share * row[i];
    } else {
      for (int i = 0; i < values; ++i) out[i] += share * row[i];
    }
  }
}

// Means along a row of RGB floats; `row` can be read one float past its end.
void mean_of_columns(const std::vector<float>& row, const std::vector<Coverage>& columns,
                     uchar* out) {
  for (const Coverage& column : columns) {
    const float* pixel = row.data() + static_cast<ptrdiff_t>(column.first) * 3;
    cv::v_float32x4 mean = cv::v_setzero_f32();  // R, G, B and a lane of no meaning
    for (const float share : column.shares) {
      mean = cv::v_muladd(cv::v_load(pixel), cv::v_setall_f32(share), mean);
      pixel += 3;
    }
    int rounded[4];
    cv::v_store(rounded, cv::v_round(mean));
    for (int c = 0; c < 3; ++c) *out++ = cv::saturate_cast<uchar>(rounded[c]);
  }
}

}  // namespace

cv::Mat shrink_by_area(const cv::Mat& rgb, cv::Size size) {
  const std::vector<Coverage> rows = coverage_of_each(rgb.rows, size.height);
  const std::vector<Coverage> columns = coverage_of_each(rgb.cols, size.width);
  std::vector<float> mean(static_cast<size_t>(rgb.cols) * 3 + 1);
  cv::Mat shrunk(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    mean_of_rows(rgb, rows[static_cast<size_t>(y)], mean);
    mean_of_columns(mean, columns, shrunk.ptr<uchar>(y));
  }
  return shrunk;
}

}  // namespace dualdepth
