#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/operator_table.h"

namespace dualdepth::graph {
namespace {

constexpr int64_t kGreatestSize = int64_t{1} << 31;

// NaN and infinity never leave a sum, which takes a tenth of the time of a look at each number; of
// finite numbers it can only overflow.
bool is_finite(const torch::Tensor& tensor) {
  return std::isfinite(tensor.sum().item<float>()) || tensor.isfinite().all().item<bool>();
}

}  // namespace

std::string to_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Operands::Operands(std::string subject, std::vector<ValueType> types)
    : subject_(std::move(subject)), types_(std::move(types)) {}

void Operands::expect(bool holds, const std::string& expected, const std::string& got) const {
  if (!holds) throw Error({.subject = subject_, .expected = expected, .got = got, .fix = ""});
}

void Operands::expect_count(size_t count) const {
  expect(size() == count, fmt::format("{} inputs", count), std::to_string(size()));
}

void Operands::expect_tensor(const char* name, const torch::Tensor& tensor,
                             const Shape& sizes) const {
  const auto expected = fmt::format("{} float {}", name, to_text(sizes));
  expect(tensor.defined(), expected, "none");
  expect(tensor.scalar_type() == torch::kFloat32 && tensor.sizes() == torch::IntArrayRef(sizes),
         expected,
         fmt::format("{} [{}]", toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ", ")));
  expect(is_finite(tensor), fmt::format("finite values in {}", name), "NaN or infinity");
}

const ValueType& Operands::only() const {
  expect_count(1);
  return types_[0];
}

const ValueType& Operands::only_float() const {
  const ValueType& type = only();
  expect(type.type == torch::kFloat32, "a float input", toString(type.type));
  return type;
}

const Shape& Operands::only_map() const {
  const ValueType& type = only_float();
  expect(type.shape.size() == 4, "a map [N, C, H, W]", to_text(type.shape));
  return type.shape;
}

int64_t Operands::axis_of(int64_t axis, size_t rank) const {
  const auto count = static_cast<int64_t>(rank);
  expect(axis >= -count && axis < count, fmt::format("an axis of {} dimensions", rank),
         std::to_string(axis));
  return axis < 0 ? axis + count : axis;
}

Shape Operands::slide(Shape map, Pair kernel, Pair stride, Pair padding, Pair dilation) const {
  for (size_t i = 0; i < 2; ++i) {
    expect(kernel[i] >= 1 && stride[i] >= 1 && dilation[i] >= 1 && padding[i] >= 0,
           "kernel, stride and dilation of at least 1, padding of at least 0", "less");
    const int64_t reach = plus(times(dilation[i], kernel[i] - 1), 1);
    const int64_t room = plus(map[2 + i], times(2, padding[i])) - reach;
    expect(room >= 0, fmt::format("a map of at least {} px", reach), to_text(map));
    map[2 + i] = room / stride[i] + 1;
  }
  return map;
}

Shape Operands::broadcast() const {
  expect(!types_.empty(), "inputs", "none");
  Shape all = types_.front().shape;
  for (const ValueType& type : types_) {
    const Shape& other = type.shape;
    if (other.size() > all.size()) all.insert(all.begin(), other.size() - all.size(), 1);
    const size_t skipped = all.size() - other.size();
    for (size_t i = 0; i < other.size(); ++i) {
      int64_t& size = all[skipped + i];
      expect(size == other[i] || size == 1 || other[i] == 1, "inputs whose shapes broadcast",
             to_text(types_.front().shape) + " and " + to_text(other));
      if (size == 1) size = other[i];
    }
  }
  return all;
}

int64_t Operands::times(int64_t a, int64_t b) const {
  int64_t product = 0;
  const bool fits = !__builtin_mul_overflow(a, b, &product) && std::abs(product) < kGreatestSize;
  expect(fits, "sizes below 2^31", fmt::format("{} * {}", a, b));
  return product;
}

int64_t Operands::plus(int64_t a, int64_t b) const {
  int64_t sum = 0;
  const bool fits = !__builtin_add_overflow(a, b, &sum) && std::abs(sum) < kGreatestSize;
  expect(fits, "sizes below 2^31", fmt::format("{} + {}", a, b));
  return sum;
}

}  // namespace dualdepth::graph
