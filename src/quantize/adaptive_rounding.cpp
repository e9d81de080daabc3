#include "dualdepth/quantize/adaptive_rounding.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

constexpr double kDamping = 0.01;
constexpr double kLeastDamping = 1e-12;  // of inputs that are all constant
constexpr int64_t kBlock = 128;          // columns of a product of matrices

// Columns begin .. end - 1.
struct Block {
  int64_t begin, end;
};

std::vector<Block> blocks_of(int64_t columns) {
  std::vector<Block> blocks;
  for (int64_t begin = 0; begin < columns; begin += kBlock) {
    blocks.push_back({begin, std::min(begin + kBlock, columns)});
  }
  return blocks;
}

torch::Tensor columns_of(const torch::Tensor& matrix, Block block) {
  return matrix.slice(1, block.begin, block.end);
}

torch::Tensor rows_of(const torch::Tensor& matrix, Block block) {
  return matrix.slice(0, block.begin, block.end);
}

// U of U U^T = matrix, upper triangular.
torch::Tensor upper_factor(const torch::Tensor& matrix) {
  return torch::linalg_cholesky(matrix.flip({0, 1})).flip({0, 1});
}

// One filter's columns of a block. left: for each of them, what the columns before the block left,
// sum of (W_i - Q_i) R_ij; factor: their rows of R from the block's first column on.
void round_block(const float* weight, float scale, const float* factor, int64_t stride,
                 int64_t count, float* left, float* rounded, float* errors) {
  const auto limit = static_cast<float>(greatest_weight_code(8));
  for (int64_t j = 0; j < count; ++j) {
    const float* row = factor + j * stride;
    const float nearest = std::nearbyint((weight[j] + left[j] / row[j]) / scale);
    rounded[j] = std::clamp(nearest, -limit, limit) * scale;
    errors[j] = weight[j] - rounded[j];
    for (int64_t k = j + 1; k < count; ++k) left[k] += errors[j] * row[k];
  }
}

}  // namespace

AdaptiveRounding::AdaptiveRounding(const torch::Tensor& inputs)
    : inputs_(inputs - inputs.mean(0, /*keepdim=*/true)) {
  factorize();
}

// From the last block of columns to the first: each needs those behind it only, and no product is
// larger than it must be for one triangle.
void AdaptiveRounding::factorize() {
  const int64_t columns = inputs_.size(1);
  const auto samples = static_cast<double>(inputs_.size(0));
  const double damping = std::max(kDamping * inputs_.square().mean().item<double>(), kLeastDamping);
  const std::vector<Block> blocks = blocks_of(columns);
  factor_ = torch::empty({columns, columns});
  inverses_.resize(blocks.size());
  for (size_t b = blocks.size(); b-- > 0;) {
    const Block block = blocks[b];
    const Block above{0, block.end};
    const Block behind{block.end, columns};
    auto rest = columns_of(inputs_, above).t().matmul(columns_of(inputs_, block)).div_(samples);
    rest.diagonal(-block.begin).add_(damping);
    if (block.end < columns) {
      const auto known = columns_of(factor_, behind);
      rest.addmm_(rows_of(known, above), rows_of(known, block).t(), 1, -1);
    }
    const auto diagonal = upper_factor(rest.slice(0, block.begin));
    inverses_[b] = torch::linalg_solve_triangular(diagonal, torch::eye(diagonal.size(0)),
                                                  /*upper=*/true)
                       .contiguous();
    const auto target = columns_of(factor_, block);
    rows_of(target, block).copy_(diagonal);
    const Block before{0, block.begin};
    rows_of(target, before).copy_(rows_of(rest, before).matmul(inverses_[b].t()));
  }
}

torch::Tensor AdaptiveRounding::solve(const torch::Tensor& values) const {
  const std::vector<Block> blocks = blocks_of(values.size(1));
  auto solution = values.clone();
  for (size_t b = blocks.size(); b-- > 0;) {  // times the inverse of R^T
    auto own = columns_of(solution, blocks[b]);
    const Block behind{blocks[b].end, values.size(1)};
    own.addmm_(columns_of(solution, behind), columns_of(rows_of(factor_, blocks[b]), behind).t(), 1,
               -1);
    own.copy_(own.matmul(inverses_[b].t()));
  }
  for (size_t b = 0; b < blocks.size(); ++b) {  // times the inverse of R
    auto own = columns_of(solution, blocks[b]);
    const Block before{0, blocks[b].begin};
    own.addmm_(columns_of(solution, before), columns_of(rows_of(factor_, before), blocks[b]), 1,
               -1);
    own.copy_(own.matmul(inverses_[b]));
  }
  return solution;
}

torch::Tensor AdaptiveRounding::round(const torch::Tensor& weight,
                                      const torch::Tensor& scale) const {
  const auto given = weight.contiguous();
  const int64_t filters = given.size(0);
  const int64_t columns = given.size(1);
  const auto scales = scale.expand({filters}).contiguous();
  auto rounded = torch::empty_like(given);
  auto errors = torch::empty_like(given);
  for (const Block block : blocks_of(columns)) {
    const Block before{0, block.begin};
    const int64_t count = block.end - block.begin;
    auto left = columns_of(errors, before).matmul(columns_of(rows_of(factor_, before), block));
    const float* factor = factor_.const_data_ptr<float>() + block.begin * (columns + 1);
    auto* left_rows = left.mutable_data_ptr<float>();
    auto* rounded_rows = rounded.mutable_data_ptr<float>();
    auto* error_rows = errors.mutable_data_ptr<float>();
    at::parallel_for(0, filters, /*grain_size=*/8, [&](int64_t first, int64_t last) {
      for (int64_t o = first; o < last; ++o) {
        const int64_t at = o * columns + block.begin;
        round_block(given.const_data_ptr<float>() + at, scales.const_data_ptr<float>()[o], factor,
                    columns, count, left_rows + o * count, rounded_rows + at, error_rows + at);
      }
    });
  }
  return rounded;
}

torch::Tensor AdaptiveRounding::refit(const torch::Tensor& weight,
                                      const torch::Tensor& targets) const {
  // The inputs' means are 0, so that the means of what is missing have no part in the product.
  const auto missing = targets - inputs_.matmul(weight.t());
  const auto pull = missing.t().matmul(inputs_).div_(static_cast<double>(inputs_.size(0)));
  return weight + solve(pull);
}

}  // namespace dualdepth::quantize
