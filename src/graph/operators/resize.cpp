#include <algorithm>
#include <array>
#include <cmath>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

template <class T>
struct Name {
  T value;
  const char* name;
};
constexpr std::array kCoordinates{Name{Coordinates::kHalfPixel, "half_pixel"},
                                  Name{Coordinates::kHalfPixelOrZero, "pytorch_half_pixel"},
                                  Name{Coordinates::kAsymmetric, "asymmetric"},
                                  Name{Coordinates::kAlignedCorners, "align_corners"}};
constexpr std::array kNearest{Name{Nearest::kHalfDown, "round_prefer_floor"},
                              Name{Nearest::kHalfUp, "round_prefer_ceil"},
                              Name{Nearest::kFloor, "floor"}, Name{Nearest::kCeil, "ceil"}};
constexpr std::array kInterpolations{Name{Interpolation::kNearest, "nearest"},
                                     Name{Interpolation::kLinear, "linear"}};

template <class Table>
auto find_named(NodeReader& node, const Table& table, const std::string& name) {
  for (const auto& row : table) {
    if (name == row.name) return row.value;
  }
  node.unsupported("another way of resizing", name);
}

template <class Table, class T>
const char* name_of(const Table& table, T value) {
  return std::ranges::find(table, value, &Table::value_type::value)->name;
}

// Size and factor of one side: 0 height, 1 width.
int64_t size_of(const Resize& resize, size_t side, int64_t size) {
  if (resize.sizes) return resize.sizes->at(side);
  return static_cast<int64_t>(
      std::floor(static_cast<double>(size) * static_cast<double>(resize.factors.at(side))));
}
double factor_of(const Resize& resize, size_t side, int64_t size) {
  if (!resize.sizes) return static_cast<double>(resize.factors.at(side));
  return static_cast<double>(resize.sizes->at(side)) / static_cast<double>(size);
}

// Where each output pixel of one side lies in the input, float64 [size].
torch::Tensor coordinates(const Resize& resize, size_t side, int64_t in, int64_t out) {
  auto i = torch::arange(out, torch::kFloat64);
  const double factor = factor_of(resize, side, in);
  switch (resize.coordinates) {
    case Coordinates::kAsymmetric:
      return i / factor;
    case Coordinates::kAlignedCorners:
      return out == 1 ? i : i * (static_cast<double>(in - 1) / static_cast<double>(out - 1));
    case Coordinates::kHalfPixelOrZero:
      if (out == 1) return i;
      break;
    case Coordinates::kHalfPixel:
      break;
  }
  return (i + 0.5) / factor - 0.5;
}

torch::Tensor nearest_of(Nearest nearest, const torch::Tensor& x) {
  switch (nearest) {
    case Nearest::kHalfDown:
      return (x - 0.5).ceil();
    case Nearest::kHalfUp:
      return (x + 0.5).floor();
    case Nearest::kFloor:
      return x.floor();
    case Nearest::kCeil:
      return x.ceil();
  }
  return x;
}

torch::Tensor resized(const Resize& resize, const torch::Tensor& x, size_t side) {
  const auto axis = static_cast<int64_t>(side) + 2;
  const int64_t in = x.size(axis);
  const int64_t out = size_of(resize, side, in);
  const auto at = coordinates(resize, side, in, out);
  const auto take = [&](const torch::Tensor& index) {
    return x.index_select(axis, index.to(torch::kInt64).clamp(0, in - 1));
  };
  if (resize.interpolation == Interpolation::kNearest) return take(nearest_of(resize.nearest, at));
  const auto before = at.floor();
  const auto share = (at - before).to(x.scalar_type()).view(side == 0 ? Shape{-1, 1} : Shape{-1});
  return take(before) * (1 - share) + take(before + 1) * share;
}

ValueType infer_resize(const Resize& resize, const Operands& in) {
  Shape x = in.only_map();
  for (size_t side = 0; side < 2; ++side) {
    const double factor = factor_of(resize, side, x[2 + side]);
    in.expect(std::isfinite(factor) && factor > 0 && factor <= 1024, "factors above 0, up to 1024",
              fmt::format("{}", factor));
    x[2 + side] = in.times(1, size_of(resize, side, x[2 + side]));
    in.expect(x[2 + side] >= 1, "a result of at least one pixel", to_text(x));
  }
  return {x};
}

// Factors or sizes of all axes; those of N and C are 1 or as before.
void read_target(NodeReader& node, Resize& resize, const Shape& map) {
  std::vector<int64_t> axes =
      node.opset() >= 18 ? node.integers("axes", {0, 1, 2, 3}) : std::vector<int64_t>{0, 1, 2, 3};
  for (int64_t& axis : axes) {
    if (axis < -4 || axis > 3) node.fail("axes of a map", std::to_string(axis));
    axis += axis < 0 ? 4 : 0;
  }
  std::vector<float> factors;
  const size_t at = node.type() == "Resize" && node.opset() > 10 ? 2 : 1;
  if (node.type() == "Resize" && node.opset() > 10 && node.has(3)) {
    Pair sizes{map[2], map[3]};
    const auto given = node.integers_of(3);
    if (given.size() != axes.size()) node.fail("a size for each axis", to_text(given));
    for (size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] >= 2) sizes.at(static_cast<size_t>(axes[i] - 2)) = given[i];
      if (axes[i] < 2 && given[i] != map[static_cast<size_t>(axes[i])]) {
        node.unsupported("the same batch and channels", to_text(given));
      }
      if (given[i] < 1) node.fail("sizes of at least 1", to_text(given));
    }
    resize.sizes = sizes;
    return;
  }
  if (node.type() == "Upsample" && node.opset() < 9) {
    const Attribute* attribute = node.attribute("scales");
    if (attribute != nullptr && std::holds_alternative<std::vector<float>>(*attribute)) {
      factors = std::get<std::vector<float>>(*attribute);
    }
  } else {
    const auto given = node.constant(at).value.to(torch::kFloat32).flatten().contiguous();
    factors.assign(given.const_data_ptr<float>(), given.const_data_ptr<float>() + given.numel());
  }
  if (factors.size() != axes.size()) {
    node.fail("a factor for each axis", std::to_string(factors.size()));
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] >= 2) resize.factors.at(static_cast<size_t>(axes[i] - 2)) = factors[i];
    if (axes[i] < 2 && factors[i] != 1) node.unsupported("the same batch and channels", "others");
  }
}

bool is_upsample(const Resize& resize) {
  const float factor = resize.factors[0];
  return !resize.sizes && resize.interpolation == Interpolation::kNearest &&
         resize.coordinates == Coordinates::kAsymmetric && resize.nearest == Nearest::kFloor &&
         factor == resize.factors[1] && factor == std::floor(factor) && factor >= 1 && factor <= 64;
}

std::vector<StandardValue> read_resize(NodeReader& node) {
  const Shape map = node.operand(0).shape;
  if (map.size() != 4 || node.operand(0).type != torch::kFloat32) {
    node.unsupported("a float map [N, C, H, W]", to_text(map));
  }
  const bool old = node.type() == "Upsample" || node.opset() == 10;
  const auto mode = node.text("mode", "nearest");
  Resize resize{.interpolation = find_named(node, kInterpolations, mode),
                .coordinates = Coordinates::kAsymmetric,
                .nearest = Nearest::kFloor};
  if (!old) {
    const auto coordinates = node.text("coordinate_transformation_mode", "half_pixel");
    resize.coordinates = find_named(node, kCoordinates, coordinates);
    resize.nearest = find_named(node, kNearest, node.text("nearest_mode", "round_prefer_floor"));
    node.expect("antialias", 0, 0);
    node.number("cubic_coeff_a", -0.75F);  // of modes that the graph does not have
    node.number("extrapolation_value", 0);
    node.integer("exclude_outside", 0);  // of cubic interpolation
    const auto policy = node.text("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") node.unsupported("keep_aspect_ratio_policy stretch", policy);
  }
  read_target(node, resize, map);
  if (is_upsample(resize)) {
    return one(node.add(Upsample{static_cast<int64_t>(resize.factors[0])}, {node.value(0)}));
  }
  return one(node.add(resize, {node.value(0)}));
}

void write_resize(const Resize& resize, NodeWriter& out) {
  const std::vector<NamedAttribute> attributes{
      {"mode", name_of(kInterpolations, resize.interpolation)},
      {"coordinate_transformation_mode", name_of(kCoordinates, resize.coordinates)},
      {"nearest_mode", name_of(kNearest, resize.nearest)}};
  if (resize.sizes) {
    const Shape& shape = out.graph().node(out.id()).shape;
    return out.make({"Resize", {out.input(), "", "", out.integers("sizes", shape)}, attributes});
  }
  const auto factors =
      out.constant(out.name() + ".scales",
                   torch::tensor({1.0F, 1.0F, resize.factors[0], resize.factors[1]}), {4});
  if (out.opset() < 11) {
    const char* type = out.opset() < 10 ? "Upsample" : "Resize";
    return out.make({type, {out.input(), factors}, {attributes.front()}});
  }
  out.make({"Resize", {out.input(), "", factors}, attributes});
}

void write_upsample(const Upsample& upsample, NodeWriter& out) {
  const auto factor = static_cast<float>(upsample.factor);
  const auto scales =
      out.constant(out.name() + ".scales", torch::tensor({1.0F, 1.0F, factor, factor}), {4});
  if (out.opset() < 11) {
    const char* type = out.opset() < 10 ? "Upsample" : "Resize";
    return out.make({type, {out.input(), scales}, {{"mode", "nearest"}}});
  }
  out.make({"Resize",
            {out.input(), "", scales},
            {{"mode", "nearest"},
             {"coordinate_transformation_mode", "asymmetric"},
             {"nearest_mode", "floor"}}});
}

}  // namespace

OperatorEntry upsample_entry() {
  return make_entry<Upsample>({
      .name = named<Upsample>("Upsample"),
      .infer = [](const Upsample& upsample, const Operands& in) -> ValueType {
        const Shape& x = in.only_map();
        in.expect(upsample.factor >= 1 && upsample.factor <= 64, "a factor of 1 to 64",
                  std::to_string(upsample.factor));
        return {{x[0], x[1], in.times(x[2], upsample.factor), in.times(x[3], upsample.factor)}};
      },
      .compute = [](const Upsample& upsample, const Arguments& in) -> Value {
        const auto factor = static_cast<double>(upsample.factor);
        return torch::upsample_nearest2d(in.real(), c10::nullopt,
                                         std::vector<double>{factor, factor});
      },
      .passes_values = [](const Upsample&) { return true; },
      .details = [](const Upsample& upsample) { return fmt::format("x{}", upsample.factor); },
      .color = "#f3efc4",
      .write = write_upsample,
  });
}

OperatorEntry resize_entry() {
  return make_entry<Resize>({
      .name = named<Resize>("Resize"),
      .infer = infer_resize,
      .compute = [](const Resize& resize, const Arguments& in) -> Value {
        return resized(resize, resized(resize, in.real(), 0), 1);
      },
      .passes_values =
          [](const Resize& resize) { return resize.interpolation == Interpolation::kNearest; },
      .details = [](const Resize& resize) -> std::string {
        return name_of(kInterpolations, resize.interpolation);
      },
      .color = "#f3efc4",
      .forms = {{"Resize", read_resize, 10},
                {.type = "Upsample", .read = read_resize, .first_opset = 7, .last_opset = 9}},
      .write = write_resize,
  });
}

}  // namespace dualdepth::graph
