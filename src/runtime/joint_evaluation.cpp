#include "dualdepth/runtime/joint_evaluation.h"

#include <algorithm>
#include <chrono>

#include "dualdepth/runtime/read_ahead.h"

namespace dualdepth {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr size_t kSamplesAhead = 4;

// What is gathered of one model, picture by picture.
struct Gathered {
  Evaluation evaluation;
  DepthDifferenceAccumulator to_first;
  Milliseconds spent{};
  size_t timed = 0;

  JointEvaluation result() const {
    return {.result = evaluation.result(),
            .to_first = to_first.result(),
            .ms_per_picture = timed > 0 ? spent.count() / static_cast<double>(timed) : 0};
  }
};

// Samples that lie one after the other in the data set, with the first model's depth.
struct Block {
  size_t begin = 0;
  std::vector<Sample> samples = {};
  std::vector<cv::Mat> first_depths = {};
};

void run_model(const DepthSource& model, Block& block, bool one_picture_only, Gathered& gathered) {
  for (size_t k = 0; k < block.samples.size(); ++k) {
    const Sample& sample = block.samples[k];
    const auto start = Clock::now();
    cv::Mat depth = model(block.begin + k, sample);
    if (k > 0 || one_picture_only) {
      gathered.spent += Clock::now() - start;
      ++gathered.timed;
    }
    gathered.evaluation.add(sample.id, depth, sample.depth, sample.valid_mask);
    if (block.first_depths.size() == k) block.first_depths.push_back(depth);
    const cv::Mat& first = block.first_depths[k];
    gathered.to_first.add(at_truth_size(depth, first), first);
  }
}

}  // namespace

std::vector<JointEvaluation> evaluate_jointly(std::span<const DepthSource> models,
                                              const Dataset& dataset,
                                              const EvaluationOptions& options,
                                              const JointProgress& progress) {
  const Protocol protocol = with_range(find_protocol(options.protocol), options.range);
  std::vector<Gathered> gathered;
  gathered.reserve(models.size());
  for (size_t i = 0; i < models.size(); ++i) {
    gathered.push_back({.evaluation = Evaluation(protocol, options.scaling),
                        .to_first = DepthDifferenceAccumulator(protocol.bins)});
  }
  ReadAhead<Sample> samples(dataset.size(), kSamplesAhead,
                            [&](size_t index) { return dataset.load(index); });
  for (size_t begin = 0; begin < dataset.size(); begin += kJointBlock) {
    Block block{.begin = begin};
    const size_t end = std::min(begin + kJointBlock, dataset.size());
    for (size_t index = begin; index < end; ++index) {
      block.samples.push_back(samples.next());
      require_ground_truth(block.samples.back());
    }
    for (size_t i = 0; i < models.size(); ++i) {
      run_model(models[i], block, dataset.size() == 1, gathered[i]);
      if (progress) progress(i, end);
    }
  }
  std::vector<JointEvaluation> results;
  results.reserve(models.size());
  for (const Gathered& one : gathered) results.push_back(one.result());
  return results;
}

}  // namespace dualdepth
