#pragma once

#include <ATen/Parallel.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/batch.h"
#include "testing/narrow_model.h"

namespace dualdepth::testing {

// Tests that train: on one thread, because tests run side by side.
class TinyRun : public ::testing::Test {
 protected:
  TinyRun() { at::set_num_threads(1); }
};

// A configuration whose steps take some tens of milliseconds.
inline RunConfig tiny_config() {
  RunConfig config;
  config.model = narrow_model();
  config.threads = 1;
  config.data.image_shape = {64, 64};
  config.data.batch_size = 2;
  config.schedule.type = ScheduleKind::kConstant;
  return config;
}

// Two pictures of 64x64 with depth at every 16th pixel.
inline Batch tiny_batch(uint64_t seed) {
  torch::manual_seed(seed);
  Batch batch;
  batch.image = at::rand({2, 3, 64, 64}).contiguous(at::MemoryFormat::ChannelsLast);
  batch.pixels = torch::arange(0, 2 * 64 * 64, 16);
  batch.depths = 1 + 70 * at::rand(batch.pixels.sizes());
  batch.ids = {"drive/a", "drive/b"};
  return batch;
}

}  // namespace dualdepth::testing
