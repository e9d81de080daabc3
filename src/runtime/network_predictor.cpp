#include "dualdepth/runtime/network_predictor.h"

#include <cstring>

#include "dualdepth/data/prepared_sample.h"
#include "dualdepth/data/resize.h"
#include "dualdepth/model/dense_prediction.h"

namespace dualdepth {
namespace {

// [1, 3, H, W] in 0..1; an interleaved picture is channels-last already.
torch::Tensor to_tensor(const cv::Mat& rgb, c10::Device device) {
  const cv::Mat packed = rgb.isContinuous() ? rgb : rgb.clone();
  const auto bytes =
      torch::from_blob(packed.data, {1, packed.rows, packed.cols, 3}, torch::dtype(torch::kUInt8));
  return bytes.to(device).to(torch::kFloat32).div_(255).permute({0, 3, 1, 2});
}

// The first of [N, h, w] with this element type on both sides; empty for an undefined tensor.
cv::Mat to_mat(const torch::Tensor& map, torch::ScalarType scalar, int type) {
  if (!map.defined()) return {};
  const auto plane = map[0].to(torch::kCPU, scalar).contiguous();
  cv::Mat mat(static_cast<int>(plane.size(0)), static_cast<int>(plane.size(1)), type);
  std::memcpy(mat.data, plane.const_data_ptr(), plane.nbytes());
  return mat;
}

}  // namespace

NetworkPredictor::NetworkPredictor(DepthNet net, const DataOptions& data, c10::Device device)
    : net_(std::move(net)),
      input_size_(static_cast<int>(data.image_shape[1]), static_cast<int>(data.image_shape[0])),
      kb_crop_(data.kb_crop),
      device_(device) {
  net_->to(device_);
  net_->eval();
}

Prediction NetworkPredictor::predict(const cv::Mat& rgb) {
  const cv::Rect all(cv::Point(), rgb.size());
  const cv::Rect crop = kb_crop_ ? kb_crop(rgb.size()) : all;
  const cv::Rect region = (crop & all) == crop ? crop : all;
  const auto dense = predict_dense(net_, to_tensor(resize_rgb(rgb(region), input_size_), device_));
  return {.depth = to_mat(dense.depth, torch::kFloat32, CV_32FC1),
          .level = to_mat(dense.level, torch::kInt16, CV_16UC1),
          .fraction = to_mat(dense.fraction, torch::kFloat32, CV_32FC1),
          .region = region};
}

}  // namespace dualdepth
