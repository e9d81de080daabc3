#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "dualdepth/data/batch.h"
#include "dualdepth/data/dataset.h"

namespace dualdepth {

struct LoaderOptions {
  DataOptions data;
  uint64_t seed = 0;
  bool augment = true;    // false: neither augmentation nor shuffling
  bool drop_last = true;  // leaves an incomplete last batch out
  bool pin_memory = false;
};

// Reads, augments and batches on `data.workers` threads, ahead of the caller. The batches of an
// epoch are a pure function of (seed, epoch): the same bytes with any number of workers, with any
// data.cache, and the same whether the epoch is begun at batch 0 or resumed at batch k.
//
// data.cache holds what stands before augmentation, so it serves every sample but those that
// crop_zoom falls on in this epoch: they are read from their files, at full size. JPEGs are decoded
// at 1/2, 1/4 or 1/8 where that is still as large as data.image_shape.
//
// A sample without ground truth adds no pixels to its batch, and a batch may have none at all.
class Loader {
 public:
  // Throws Error when drop_last would leave no batch, or the disk cache cannot be written.
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);
  ~Loader();

  int64_t batches_per_epoch() const;

  // Begins an epoch at `first_batch`; what an earlier epoch had still in flight is dropped.
  void start_epoch(int64_t epoch, int64_t first_batch = 0);

  // The next batch, or nothing at the end of the epoch. Throws what a worker threw.
  std::optional<Batch> next();

  // Seconds that next() has waited since the loader was made.
  double seconds_waited() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dualdepth
