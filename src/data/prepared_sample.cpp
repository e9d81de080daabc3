#include "dualdepth/data/prepared_sample.h"

#include "dualdepth/base/error.h"

namespace dualdepth {

cv::Rect kb_crop(cv::Size picture) {
  constexpr int kWidth = 1216;
  constexpr int kHeight = 352;
  return {(picture.width - kWidth) / 2, picture.height - kHeight, kWidth, kHeight};
}

PreparedSample prepare_sample(const Sample& sample, cv::Rect region, cv::Size size) {
  const cv::Size full = sample.depth.empty() ? sample.rgb.size() : sample.depth.size();
  const cv::Rect whole({0, 0}, full);
  if ((region & whole) != region) {
    throw Error({.subject = sample.id,
                 .expected = "a picture of at least " + std::to_string(region.width) + "x" +
                             std::to_string(region.height) + " pixels",
                 .got = std::to_string(full.width) + "x" + std::to_string(full.height),
                 .fix = "leave data.kb_crop off for such pictures"});
  }
  PreparedSample prepared;
  prepared.rgb = resize_rgb(region == whole ? sample.rgb : sample.rgb(region), size);
  if (!sample.depth.empty()) {
    prepared.truth = scatter_depth(sample.depth, sample.valid_mask, region, size);
  }
  return prepared;
}

}  // namespace dualdepth
