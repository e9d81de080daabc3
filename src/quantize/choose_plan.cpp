#include "dualdepth/quantize/choose_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/graph/centring.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/quantize/apply_plan.h"
#include "dualdepth/quantize/equalization.h"
#include "dualdepth/quantize/fingerprint.h"

namespace dualdepth::quantize {
namespace {

using graph::Graph;

constexpr size_t kFittedPictures = 32;  // centring and equalization ask for little

void expect_allowed(const QuantizeOptions& options) {
  const Target& target = options.chosen_target();
  const auto& allowed = target.weights.granularities;
  if (std::ranges::count(allowed, options.granularity()) > 0) return;
  throw Error(
      {.subject = fmt::format("target {}", target.name),
       .expected = fmt::format("weights {}, the only ones that it has", enum_name(allowed.front())),
       .got = std::string(enum_name(options.granularity())),
       .fix = "leave --weights out, or choose another profile"});
}

// A plan without scales, and how its scales are to be chosen.
struct Candidate {
  Plan plan;
  ScaleOptions scales;
};

// A candidate that was tried.
struct Trial {
  Candidate candidate;
  Calibration statistics;
  DepthError error;

  // NaN, the error of a network that computes NaN, is worse than any number.
  bool is_better_than(const Trial& other) const {
    return error.relative < other.error.relative ||
           (std::isnan(other.error.relative) && !std::isnan(error.relative));
  }
};

class PlanSearch {
 public:
  PlanSearch(const Graph& network, const Contract& contract, const Pictures& pictures,
             const QuantizeOptions& options)
      : network_(network),
        contract_(contract),
        pictures_(pictures),
        options_(options),
        threads_(resolve_thread_count(options.threads)),
        judged_(pictures.spread(options.judged_pictures)),
        expected_(predict_all(depth_of(network, contract), judged_)) {}

  PlanChoice run() {
    const Candidate best = search().candidate;
    PlanChoice choice;
    choice.statistics = statistics_of(best.plan, pictures_);
    choice.scales = best.scales;
    choice.plan = with_scales(best.plan, network_, choice.statistics, best.scales);
    choice.stages = std::move(stages_);
    return choice;
  }

 private:
  Plan first_plan() const {
    Plan plan;
    plan.network = network_fingerprint(network_);
    plan.target = options_.chosen_target();
    plan.granularity = options_.granularity();
    return with_float(std::move(plan), options_.keep_float);
  }

  Calibration statistics_of(const Plan& plan, const Pictures& pictures) const {
    const Graph reference = reference_of(plan, network_);
    return calibrate(reference, places_of(plan, reference).placement, pictures, threads_);
  }

  DepthError error_of(const Plan& plan) const {
    const AppliedPlan applied = apply_plan(plan, network_);
    return depth_error(predict_all(depth_of(applied.graph, contract_), judged_), expected_);
  }

  Trial try_out(Candidate candidate, std::string name) {
    Calibration statistics = statistics_of(candidate.plan, judged_);
    return try_out(std::move(candidate), std::move(statistics), std::move(name));
  }

  Trial try_out(Candidate candidate, Calibration statistics, std::string name) {
    const Plan plan = with_scales(candidate.plan, network_, statistics, candidate.scales);
    Trial trial{std::move(candidate), std::move(statistics), error_of(plan)};
    stages_.push_back({std::move(name), trial.error});
    return trial;
  }

  static void keep_better(Trial& best, Trial trial) {
    if (trial.is_better_than(best)) best = std::move(trial);
  }

  Trial search() {
    const bool was_centred = graph::has_centred_head(network_);
    Trial best =
        try_out({first_plan(), {.ranges = options_.ranges}}, was_centred ? "centred" : "plain");
    if (options_.center && can_be_centred(best)) {
      keep_better(best, try_out(centred(best, CentringOrder::kBeforeEqualization), "centred"));
    }
    if (options_.equalize) {
      auto [each, beside] = equalized(best.candidate);
      keep_better(best, try_out(std::move(each), "equalized"));
      keep_better(best, try_out(std::move(beside), "also in Concats"));
      if (options_.center && can_be_centred(best)) {
        keep_better(best,
                    try_out(centred(best, CentringOrder::kAfterEqualization), "centred last"));
      }
    }
    if (graph::logits_of(network_)) {
      Candidate narrow = best.candidate;
      narrow.scales.winners = WinnerRange::kNarrow;
      keep_better(best, try_out(std::move(narrow), best.statistics, "narrow winners"));
    }
    return best;
  }

  bool can_be_centred(const Trial& trial) const {
    return trial.candidate.plan.head.centring == CentringOrder::kNone &&
           !graph::integer_head(network_).empty() && !graph::has_centred_head(network_);
  }

  Candidate centred(const Trial& trial, CentringOrder order) const {
    Candidate candidate = trial.candidate;
    const auto centring = graph::fit_centring(reference_of(candidate.plan, network_),
                                              pictures_.spread(kFittedPictures));
    const auto filter = centring.filter.contiguous();
    const auto* numbers = filter.const_data_ptr<float>();
    candidate.plan.head.centring = order;
    candidate.plan.head.filter.assign(numbers, numbers + filter.numel());
    candidate.plan.head.offset = centring.offset;
    return candidate;
  }

  // Each map for itself, and matched with what Concats put beside it.
  std::pair<Candidate, Candidate> equalized(const Candidate& before) const {
    const Graph reference = reference_of(before.plan, network_);
    const auto peaks = measure_peaks(reference, pictures_.spread(kFittedPictures));
    const auto with = [&](Beside beside) {
      Candidate candidate = before;
      candidate.plan.equalization =
          equalizing_factors(reference, peaks, options_.granularity(), beside);
      return candidate;
    };
    return {with(Beside::kIgnored), with(Beside::kMatched)};
  }

  const Graph& network_;
  const Contract& contract_;
  const Pictures& pictures_;
  const QuantizeOptions& options_;
  int threads_;
  Pictures judged_;
  std::vector<DensePrediction> expected_;  // of judged_, in float
  std::vector<Stage> stages_;
};

}  // namespace

const Target& QuantizeOptions::chosen_target() const {
  return target ? *target : target_of(profile);
}

WeightGranularity QuantizeOptions::granularity() const {
  return weights.value_or(chosen_target().weights.granularities.front());
}

PlanChoice choose_plan(const Graph& network, const Contract& contract, const Pictures& pictures,
                       const QuantizeOptions& options) {
  const torch::NoGradGuard no_grad;
  expect_float(network);
  expect_allowed(options);
  expect_outputs(options.chosen_target(), contract);
  return PlanSearch(network, contract, pictures, options).run();
}

}  // namespace dualdepth::quantize
