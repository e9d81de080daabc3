#include "dualdepth/runtime/network_pictures.h"

#include <utility>

#include "dualdepth/data/synthetic_picture.h"
#include "dualdepth/io/image.h"
#include "dualdepth/runtime/predict_pictures.h"

namespace dualdepth {
namespace {

constexpr size_t kRendered = 4;

}  // namespace

graph::Pictures open_pictures(const std::vector<std::filesystem::path>& inputs,
                              const InputContract& input) {
  const auto files = list_pictures(inputs);
  return {files.size(), [files, input](size_t index) {
            return to_network_picture(read_rgb(files.at(index)), input).image;
          }};
}

graph::Pictures dataset_pictures(std::shared_ptr<const Dataset> samples,
                                 const InputContract& input) {
  const size_t count = samples->size();
  return {count, [samples = std::move(samples), input](size_t index) {
            return to_network_picture(samples->load(index).rgb, input).image;
          }};
}

graph::Pictures rendered_pictures(const InputContract& input, DatasetKind layout) {
  const cv::Size size(static_cast<int>(input.size.at(1)), static_cast<int>(input.size.at(0)));
  InputContract whole = input;
  whole.crop = InputCrop::kNone;
  return {kRendered, [=](size_t index) {
            const auto rgb = synthetic::render_picture(layout, size, static_cast<int>(index));
            return to_network_picture(rgb, whole).image;
          }};
}

}  // namespace dualdepth
