#include "dualdepth/runtime/dense_predictor.h"

#include <cstring>

#include "dualdepth/data/prepared_sample.h"
#include "dualdepth/data/resize.h"
#include "dualdepth/runtime/device.h"

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

NetworkPicture to_network_picture(const cv::Mat& rgb, const NetworkInput& input,
                                  c10::Device device) {
  const cv::Rect all(cv::Point(), rgb.size());
  const cv::Rect crop = input.kb_crop ? kb_crop(rgb.size()) : all;
  const cv::Rect region = (crop & all) == crop ? crop : all;
  const cv::Size size(static_cast<int>(input.image_shape[1]),
                      static_cast<int>(input.image_shape[0]));
  return {to_tensor(resize_rgb(rgb(region), size), device), region};
}

DensePredictor::DensePredictor(Network network, NetworkInput input, c10::Device device)
    : network_(std::move(network)), input_(std::move(input)), device_(device) {}

cv::Size DensePredictor::input_size() const {
  return {static_cast<int>(input_.image_shape[1]), static_cast<int>(input_.image_shape[0])};
}

Prediction DensePredictor::predict(const cv::Mat& rgb) {
  const auto picture = to_network_picture(rgb, input_, device_);
  const NoTf32 no_tf32;
  const auto dense = network_(picture.image);
  return {.depth = to_mat(dense.depth, torch::kFloat32, CV_32FC1),
          .level = to_mat(dense.level, torch::kInt16, CV_16UC1),
          .fraction = to_mat(dense.fraction, torch::kFloat32, CV_32FC1),
          .region = picture.region};
}

}  // namespace dualdepth
