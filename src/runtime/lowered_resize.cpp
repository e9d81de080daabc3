#include "lowered_resize.h"

#include <openvino/op/constant.hpp>
#include <openvino/op/interpolate.hpp>

namespace dualdepth {
namespace {

using Interpolate = ov::op::v11::Interpolate;
using ov::op::v0::Constant;

Interpolate::CoordinateTransformMode coordinates_of(graph::Coordinates coordinates) {
  switch (coordinates) {
    case graph::Coordinates::kHalfPixel:
      return Interpolate::CoordinateTransformMode::HALF_PIXEL;
    case graph::Coordinates::kHalfPixelOrZero:
      return Interpolate::CoordinateTransformMode::PYTORCH_HALF_PIXEL;
    case graph::Coordinates::kAsymmetric:
      return Interpolate::CoordinateTransformMode::ASYMMETRIC;
    case graph::Coordinates::kAlignedCorners:
      return Interpolate::CoordinateTransformMode::ALIGN_CORNERS;
  }
  return {};
}

Interpolate::NearestMode nearest_of(graph::Nearest nearest) {
  switch (nearest) {
    case graph::Nearest::kHalfDown:
      return Interpolate::NearestMode::ROUND_PREFER_FLOOR;
    case graph::Nearest::kHalfUp:
      return Interpolate::NearestMode::ROUND_PREFER_CEIL;
    case graph::Nearest::kFloor:
      return Interpolate::NearestMode::FLOOR;
    case graph::Nearest::kCeil:
      return Interpolate::NearestMode::CEIL;
  }
  return {};
}

}  // namespace

ov::Output<ov::Node> lower_resize(const graph::Resize& resize, const ov::Output<ov::Node>& map) {
  Interpolate::InterpolateAttrs attributes;
  attributes.mode = resize.interpolation == graph::Interpolation::kNearest
                        ? Interpolate::InterpolateMode::NEAREST
                        : Interpolate::InterpolateMode::LINEAR_ONNX;
  attributes.coordinate_transformation_mode = coordinates_of(resize.coordinates);
  attributes.nearest_mode = nearest_of(resize.nearest);
  attributes.pads_begin = attributes.pads_end = {0, 0, 0, 0};
  attributes.shape_calculation_mode =
      resize.sizes ? Interpolate::ShapeCalcMode::SIZES : Interpolate::ShapeCalcMode::SCALES;
  const auto& factors = resize.factors;
  const auto target =
      resize.sizes ? std::make_shared<Constant>(ov::element::i64, ov::Shape{2}, resize.sizes->data())
                   : std::make_shared<Constant>(ov::element::f32, ov::Shape{2}, factors.data());
  const auto axes = Constant::create(ov::element::i64, {2}, {2, 3});
  return std::make_shared<Interpolate>(map, target, axes, attributes)->output(0);
}

}  // namespace dualdepth
