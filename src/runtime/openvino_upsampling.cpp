#include "openvino_upsampling.h"

#include <torch/types.h>

#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/util/interpolate_base.hpp>
#include <optional>
#include <vector>

#include "dualdepth/model/upsampled_filters.h"
#include "openvino_convolution.h"

namespace dualdepth {
namespace {

using Constant = ov::op::v0::Constant;
using Interpolate = ov::op::util::InterpolateBase;

std::shared_ptr<Constant> constant_of(const torch::Tensor& values) {
  const auto packed = values.contiguous();
  const auto sizes = packed.sizes();
  return std::make_shared<Constant>(ov::element::f32, ov::Shape(sizes.begin(), sizes.end()),
                                    packed.const_data_ptr<float>());
}

// Whether scales of 2 make each pixel 2x2 equal ones: y reads floor(y / 2), or what lies nearest to
// (y + 0.5) / 2 - 0.5, which is never half-way. OpenVINO reads Resize as the first and ONNX's older
// Upsample as the second.
bool repeats_pixels(const Interpolate::InterpolateAttrs& attributes) {
  using Transform = Interpolate::CoordinateTransformMode;
  using Nearest = Interpolate::NearestMode;
  if (attributes.mode != Interpolate::InterpolateMode::NEAREST ||
      attributes.shape_calculation_mode != Interpolate::ShapeCalcMode::SCALES) {
    return false;
  }
  const auto transform = attributes.coordinate_transformation_mode;
  const auto nearest = attributes.nearest_mode;
  const bool rounds =
      nearest == Nearest::ROUND_PREFER_FLOOR || nearest == Nearest::ROUND_PREFER_CEIL;
  return (transform == Transform::ASYMMETRIC && nearest == Nearest::FLOOR) ||
         (transform == Transform::HALF_PIXEL && rounds);
}

// What is doubled, each pixel to 2x2 equal ones; nothing where the node does something else.
std::optional<ov::Output<ov::Node>> doubled_by(const ov::Node& node) {
  const auto* interpolate = dynamic_cast<const Interpolate*>(&node);
  if (interpolate == nullptr || !repeats_pixels(interpolate->get_attrs())) return std::nullopt;
  // Scales lie behind the sizes in Interpolate-4, alone in Interpolate-11; then the axes, if not
  // all.
  std::vector<float> scales;
  for (size_t i = 1; i < node.get_input_size(); ++i) {
    const auto constant = ov::as_type_ptr<Constant>(node.get_input_node_shared_ptr(i));
    if (constant && constant->get_element_type() == ov::element::f32) {
      scales = constant->cast_vector<float>();
    }
  }
  if (scales != std::vector<float>{1, 1, 2, 2}) return std::nullopt;
  return node.input_value(0);
}

// A map that was doubled, and what lies behind it along the channels.
struct Source {
  ov::Output<ov::Node> small;
  ov::OutputVector beside;
};

std::optional<Source> find_source(const ov::Output<ov::Node>& map) {
  const auto node = map.get_node_shared_ptr();
  if (const auto small = doubled_by(*node)) return Source{*small, {}};
  const auto concat = ov::as_type_ptr<ov::op::v0::Concat>(node);
  if (!concat || concat->get_axis() != 1) return std::nullopt;
  auto inputs = concat->input_values();
  const auto small = doubled_by(*inputs.front().get_node());
  if (!small) return std::nullopt;
  inputs.erase(inputs.begin());
  return Source{*small, inputs};
}

std::shared_ptr<ov::Node> convolve(const ov::OutputVector& maps, const torch::Tensor& filters) {
  const auto map =
      maps.size() == 1 ? maps.front() : std::make_shared<ov::op::v0::Concat>(maps, 1)->output(0);
  const ov::Strides one{1, 1};
  const ov::CoordinateDiff padding{1, 1};
  return std::make_shared<ov::op::v1::Convolution>(map, constant_of(filters), one, padding, padding,
                                                   one);
}

std::shared_ptr<ov::Node> convolve_doubled(const ov::Output<ov::Node>& small,
                                           const torch::Tensor& filters) {
  const ov::CoordinateDiff padding{1, 1};
  return std::make_shared<ov::op::v1::ConvolutionBackpropData>(
      small, constant_of(upsampled_filters(filters)), ov::Strides{2, 2}, padding, padding,
      ov::Strides{1, 1});
}

std::shared_ptr<ov::Node> without_upsampling(const Source& source, const Constant& filters) {
  const auto weight = view(filters);
  if (source.beside.empty()) return convolve_doubled(source.small, weight);
  const int64_t channels = source.small.get_partial_shape()[1].get_length();
  // OpenVINO adds the second term while it computes the first.
  return std::make_shared<ov::op::v1::Add>(
      convolve(source.beside, weight.slice(1, channels)),
      convolve_doubled(source.small, weight.slice(1, 0, channels)));
}

}  // namespace

int replace_upsampled_convolutions(const std::shared_ptr<ov::Model>& model) {
  int replaced = 0;
  for (const auto& node : model->get_ordered_ops()) {
    const auto conv = ov::as_type_ptr<ov::op::v1::Convolution>(node);
    if (!conv) continue;
    const auto filters = ov::as_type_ptr<Constant>(conv->get_input_node_shared_ptr(1));
    const auto source = find_source(conv->input_value(0));
    if (!filters || !source || !is_plain_3x3(*conv, *filters)) continue;
    const auto replacement = without_upsampling(*source, *filters);
    replacement->set_friendly_name(conv->get_friendly_name());
    conv->output(0).replace(replacement->output(0));
    ++replaced;
  }
  return replaced;
}

}  // namespace dualdepth
