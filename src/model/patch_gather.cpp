#include "dualdepth/model/patch_gather.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace dualdepth {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FeatureShape {
  int64_t batch, channels, height, width;

  explicit FeatureShape(torch::IntArrayRef sizes)
      : batch(sizes[0]), channels(sizes[1]), height(sizes[2]), width(sizes[3]) {}
};

// Calls visit(row of patches, offset of the neighbour's channels in NHWC) for every neighbour that
// lies inside the picture; `row` counts [P, 9].
template <class Visit>
void for_each_neighbour(const FeatureShape& shape, const torch::Tensor& pixels, Visit visit) {
  const int64_t* pixel = pixels.const_data_ptr<int64_t>();
  for (int64_t p = 0; p < pixels.numel(); ++p) {
    const int64_t y = pixel[p] / shape.width % shape.height;
    const int64_t x = pixel[p] % shape.width;
    for (int64_t i = 0; i < 3; ++i) {
      if (y + i < 1 || y + i > shape.height) continue;
      for (int64_t j = 0; j < 3; ++j) {
        if (x + j < 1 || x + j > shape.width) continue;
        const int64_t neighbour = pixel[p] + (i - 1) * shape.width + (j - 1);
        visit(9 * p + 3 * i + j, neighbour * shape.channels);
      }
    }
  }
}

torch::Tensor gather_by_loops(const torch::Tensor& feature, const torch::Tensor& pixels) {
  const FeatureShape shape(feature.sizes());
  const auto nhwc = feature.contiguous(torch::MemoryFormat::ChannelsLast);
  auto patches = torch::zeros({pixels.numel(), 9 * shape.channels}, feature.options());
  const float* from = nhwc.const_data_ptr<float>();
  float* to = patches.mutable_data_ptr<float>();
  for_each_neighbour(shape, pixels, [&](int64_t row, int64_t offset) {
    std::copy_n(from + offset, shape.channels, to + row * shape.channels);
  });
  return patches;
}

torch::Tensor scatter_by_loops(const torch::Tensor& gradient, const torch::Tensor& pixels,
                               torch::IntArrayRef sizes) {
  const FeatureShape shape(sizes);
  const auto patches = gradient.contiguous();
  auto feature = torch::empty(sizes, gradient.options(), torch::MemoryFormat::ChannelsLast).zero_();
  const float* from = patches.const_data_ptr<float>();
  float* to = feature.mutable_data_ptr<float>();
  for_each_neighbour(shape, pixels, [&](int64_t row, int64_t offset) {
    const float* source = from + row * shape.channels;
    float* sum = to + offset;
    for (int64_t c = 0; c < shape.channels; ++c) sum[c] += source[c];
  });
  return feature;
}

// Rows of the zero-padded [N, H + 2, W + 2] picture, int64 [P, 9].
torch::Tensor padded_rows(const FeatureShape& shape, const torch::Tensor& pixels) {
  const auto x = pixels.remainder(shape.width);
  const auto line = pixels.floor_divide(shape.width);  // n * H + y
  const auto n = line.floor_divide(shape.height);
  const auto corner = (line + 2 * n) * (shape.width + 2) + x;
  const auto step = torch::arange(3, pixels.options());
  const auto window = (step.unsqueeze(1) * (shape.width + 2) + step).view({1, 9});
  return corner.unsqueeze(1) + window;
}

// The same with tensor operations, for other devices and types.
torch::Tensor gather_by_index(const torch::Tensor& feature, const torch::Tensor& pixels) {
  const FeatureShape shape(feature.sizes());
  const auto padded = torch::constant_pad_nd(feature.permute({0, 2, 3, 1}), {0, 0, 1, 1, 1, 1});
  const auto rows = padded_rows(shape, pixels).view({-1});
  return padded.reshape({-1, shape.channels}).index_select(0, rows).view({-1, 9 * shape.channels});
}

torch::Tensor scatter_by_index(const torch::Tensor& gradient, const torch::Tensor& pixels,
                               torch::IntArrayRef sizes) {
  const FeatureShape shape(sizes);
  const int64_t height = shape.height + 2;
  const int64_t width = shape.width + 2;
  auto padded = torch::zeros({shape.batch * height * width, shape.channels}, gradient.options());
  padded.index_add_(0, padded_rows(shape, pixels).view({-1}),
                    gradient.reshape({-1, shape.channels}));
  return padded.view({shape.batch, height, width, shape.channels})
      .slice(1, 1, height - 1)
      .slice(2, 1, width - 1)
      .permute({0, 3, 1, 2})
      .contiguous(torch::MemoryFormat::ChannelsLast);
}

bool takes_loops(const torch::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32;
}

class GatherPatches : public torch::autograd::Function<GatherPatches> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& feature,
                               const torch::Tensor& pixels) {
    context->save_for_backward({pixels});
    context->saved_data["sizes"] = feature.sizes().vec();
    return takes_loops(feature) ? gather_by_loops(feature, pixels)
                                : gather_by_index(feature, pixels);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto pixels = context->get_saved_variables().front();
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto& gradient = gradients.front();
    return {takes_loops(gradient) ? scatter_by_loops(gradient, pixels, sizes)
                                  : scatter_by_index(gradient, pixels, sizes),
            torch::Tensor()};
  }
};

}  // namespace

torch::Tensor gather_patches(const torch::Tensor& feature, const torch::Tensor& pixels) {
  return GatherPatches::apply(feature, pixels.contiguous());
}

}  // namespace dualdepth
