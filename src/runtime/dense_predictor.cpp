#include "dualdepth/runtime/dense_predictor.h"

#include <algorithm>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "dualdepth/data/prepared_sample.h"
#include "dualdepth/data/resize.h"
#include "dualdepth/runtime/device.h"

namespace dualdepth {
namespace {

// bytes: [1, H, W, 3].
torch::Tensor normalized(const torch::Tensor& bytes, const InputContract& input) {
  auto image = bytes.to(torch::kFloat32).div_(255);
  const InputContract plain;
  if (input.range != plain.range) {
    image.mul_(input.range.at(1) - input.range.at(0)).add_(input.range.at(0));
  }
  const auto floats = torch::TensorOptions(torch::kFloat32).device(image.device());
  if (input.mean != plain.mean) image.sub_(torch::tensor(input.mean, floats));
  if (input.std != plain.std) image.div_(torch::tensor(input.std, floats));
  return image;
}

// [1, 3, H, W], or [1, H, W, 3] of layout NHWC. An interleaved picture is channels-last already.
torch::Tensor to_tensor(const cv::Mat& picture, const InputContract& input, c10::Device device) {
  const cv::Mat packed = picture.isContinuous() ? picture : picture.clone();
  const auto bytes =
      torch::from_blob(packed.data, {1, packed.rows, packed.cols, 3}, torch::dtype(torch::kUInt8));
  auto image = bytes.to(device, /*non_blocking=*/false, /*copy=*/true);
  if (input.type != InputType::kUint8) image = normalized(image, input);
  if (input.type == InputType::kFloat16) image = image.to(torch::kHalf);
  return input.layout == TensorLayout::kNhwc ? image : image.permute({0, 3, 1, 2});
}

// Map `index` of [N, h, w] with this element type on both sides; empty for an undefined tensor.
cv::Mat to_mat(const torch::Tensor& maps, int64_t index, torch::ScalarType scalar, int type) {
  if (!maps.defined()) return {};
  const auto plane = maps[index].to(torch::kCPU, scalar).contiguous();
  cv::Mat mat(static_cast<int>(plane.size(0)), static_cast<int>(plane.size(1)), type);
  std::memcpy(mat.data, plane.const_data_ptr(), plane.nbytes());
  return mat;
}

}  // namespace

NetworkPicture to_network_picture(const cv::Mat& rgb, const InputContract& input,
                                  c10::Device device) {
  const cv::Rect all(cv::Point(), rgb.size());
  const cv::Rect crop = input.crop == InputCrop::kKittiBenchmark ? kb_crop(rgb.size()) : all;
  const cv::Rect region = (crop & all) == crop ? crop : all;
  const cv::Size size(static_cast<int>(input.size.at(1)), static_cast<int>(input.size.at(0)));
  cv::Mat picture = resize_rgb(rgb(region), size);
  if (input.channels == ChannelOrder::kBgr) {
    cv::Mat bgr;
    cv::cvtColor(picture, bgr, cv::COLOR_RGB2BGR);
    picture = std::move(bgr);
  }
  return {to_tensor(picture, input, device), region};
}

DensePredictor::DensePredictor(Network network, Contract contract, c10::Device device,
                               int64_t batch)
    : network_(std::move(network)),
      contract_(std::move(contract)),
      device_(device),
      batch_(batch) {}

Prediction DensePredictor::predict(const cv::Mat& rgb) {
  return std::move(predict_batch(std::span(&rgb, 1)).front());
}

std::vector<Prediction> DensePredictor::predict_batch(std::span<const cv::Mat> pictures) {
  std::vector<Prediction> all;
  all.reserve(pictures.size());
  const size_t most = batch_ > 0 ? static_cast<size_t>(batch_) : pictures.size();
  for (size_t first = 0; first < pictures.size(); first += most) {
    predict_together(pictures.subspan(first, std::min(most, pictures.size() - first)), all);
  }
  return all;
}

void DensePredictor::predict_together(std::span<const cv::Mat> pictures,
                                      std::vector<Prediction>& all) {
  std::vector<torch::Tensor> images;
  std::vector<cv::Rect> regions;
  for (const cv::Mat& rgb : pictures) {
    auto picture = to_network_picture(rgb, contract_.input, device_);
    images.push_back(std::move(picture.image));
    regions.push_back(picture.region);
  }
  while (static_cast<int64_t>(images.size()) < batch_) images.push_back(images.back());
  const NoTf32 no_tf32;
  const auto dense = network_(images.size() == 1 ? images.front() : torch::cat(images));
  for (size_t i = 0; i < pictures.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    all.push_back({.depth = to_mat(dense.depth, index, torch::kFloat32, CV_32FC1),
                   .level = to_mat(dense.level, index, torch::kInt16, CV_16UC1),
                   .fraction = to_mat(dense.fraction, index, torch::kFloat32, CV_32FC1),
                   .region = regions[i]});
  }
}

}  // namespace dualdepth
