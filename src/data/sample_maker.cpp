#include "sample_maker.h"

#include "dualdepth/base/random.h"

namespace dualdepth {

SampleMaker::SampleMaker(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options), cache_(make_sample_cache(options.data)) {}

cv::Size SampleMaker::size() const {
  return {static_cast<int>(options_.data.image_shape[1]),
          static_cast<int>(options_.data.image_shape[0])};
}

SparseDepth SampleMaker::make(size_t index, int64_t epoch, float* image) const {
  Augmentation augmentation;
  if (options_.augment) {
    augmentation =
        draw_augmentation(options_.data.augmentation,
                          RandomStream({options_.seed, static_cast<uint64_t>(epoch), index}));
  }
  const auto prepared =
      augmentation.zoom == 1 ? prepare(index) : prepare_zoomed(index, augmentation);
  write_augmented(prepared->rgb, augmentation, image);
  const int64_t most = options_.augment ? options_.data.max_truth_pixels : 0;
  if (most == 0) return augment_truth(prepared->truth, augmentation, size().width);
  constexpr uint64_t kTruthStream = 1;
  const RandomStream stream({options_.seed, static_cast<uint64_t>(epoch), index, kTruthStream});
  const SparseDepth drawn = draw_truth(prepared->truth, static_cast<size_t>(most), stream);
  return augment_truth(drawn, augmentation, size().width);
}

std::shared_ptr<const PreparedSample> SampleMaker::prepare(size_t index) const {
  const std::string key = cache_ ? cache_key(*dataset_, index, options_.data) : "";
  if (cache_) {
    if (auto found = cache_->find(key)) return found;
  }
  const Sample sample =
      options_.data.kb_crop ? dataset_->load(index) : dataset_->load_reduced(index, size());
  auto prepared =
      std::make_shared<const PreparedSample>(prepare_sample(sample, region_of(sample), size()));
  if (cache_) cache_->store(key, prepared);
  return prepared;
}

// From the files: a crop of the cached picture would be blurred where the file has more detail.
std::shared_ptr<const PreparedSample> SampleMaker::prepare_zoomed(
    size_t index, const Augmentation& augmentation) const {
  const Sample sample = dataset_->load(index);
  const cv::Rect region = region_of(sample);
  const cv::Rect part = zoom_region(augmentation, region);
  auto prepared = std::make_shared<PreparedSample>(prepare_sample(sample, part, size()));
  const float zoom = static_cast<float>(region.width) / static_cast<float>(part.width);
  for (float& metres : prepared->truth.depths) metres /= zoom;
  return prepared;
}

cv::Rect SampleMaker::region_of(const Sample& sample) const {
  const cv::Size full = sample.depth.empty() ? sample.rgb.size() : sample.depth.size();
  return options_.data.kb_crop ? kb_crop(full) : cv::Rect({0, 0}, full);
}

}  // namespace dualdepth
