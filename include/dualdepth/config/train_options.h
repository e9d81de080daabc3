#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dualdepth/config/field.h"

namespace dualdepth {

enum class OptimizerKind { kAdam, kAdamW, kSgd };
template <>
struct EnumNames<OptimizerKind> {
  static constexpr std::array values{std::pair{OptimizerKind::kAdam, "adam"},
                                     std::pair{OptimizerKind::kAdamW, "adamw"},
                                     std::pair{OptimizerKind::kSgd, "sgd"}};
};

enum class ScheduleKind { kConstant, kStep, kCosine, kOneCycle, kPolynomial };
template <>
struct EnumNames<ScheduleKind> {
  static constexpr std::array values{
      std::pair{ScheduleKind::kConstant, "constant"}, std::pair{ScheduleKind::kStep, "step"},
      std::pair{ScheduleKind::kCosine, "cosine"}, std::pair{ScheduleKind::kOneCycle, "one_cycle"},
      std::pair{ScheduleKind::kPolynomial, "polynomial"}};
};

enum class Precision { kFloat32, kBFloat16 };
template <>
struct EnumNames<Precision> {
  static constexpr std::array values{std::pair{Precision::kFloat32, "float32"},
                                     std::pair{Precision::kBFloat16, "bfloat16"}};
};

enum class ScalingKind { kNone, kMedian };
template <>
struct EnumNames<ScalingKind> {
  static constexpr std::array values{std::pair{ScalingKind::kNone, "none"},
                                     std::pair{ScalingKind::kMedian, "median"}};
};

struct OptimizerOptions {
  OptimizerKind type = OptimizerKind::kAdamW;
  double lr = 2e-4;
  double encoder_lr_scale = 1;
  double weight_decay = 0.01;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double momentum = 0.9;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("type", type, {.help = "update rule"});
    v.field("lr", lr, {.help = "peak learning rate of decoder and heads", .min = 0, .max = 10});
    v.field("encoder_lr_scale", encoder_lr_scale,
            {.help = "the encoder's learning rate is lr times this", .min = 0, .max = 100});
    v.field(
        "weight_decay", weight_decay,
        {.help = "decay of convolution weights; norms and biases have none", .min = 0, .max = 10});
    v.field("beta1", beta1,
            {.help = "decay of the first moment, for adam", .min = 0, .max = 0.9999});
    v.field("beta2", beta2,
            {.help = "decay of the second moment, for adam", .min = 0, .max = 0.99999});
    v.field("eps", eps, {.help = "added to the root of the second moment", .min = 0, .max = 1});
    v.field("momentum", momentum, {.help = "for sgd", .min = 0, .max = 0.9999});
  }
};

struct ScheduleOptions {
  ScheduleKind type = ScheduleKind::kOneCycle;
  int64_t warmup_steps = 0;
  double warmup_share = 0.1;
  double final_scale = 1e-3;
  std::vector<int64_t> milestones = {};
  double gamma = 0.1;
  double power = 0.9;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("type", type, {.help = "learning rate over steps"});
    v.field("warmup_steps", warmup_steps,
            {.help = "steps of linear warm-up; one_cycle uses warmup_share instead",
             .unit = "steps",
             .min = 0});
    v.field("warmup_share", warmup_share,
            {.help = "share of all steps in which one_cycle rises", .min = 0, .max = 0.9});
    v.field(
        "final_scale", final_scale,
        {.help = "last learning rate as a share of the peak, for cosine, one_cycle and polynomial",
         .min = 0,
         .max = 1});
    v.field("milestones", milestones,
            {.help = "epochs at which step multiplies by gamma", .unit = "epochs", .min = 1});
    v.field("gamma", gamma, {.help = "factor of step", .min = 0, .max = 1});
    v.field("power", power, {.help = "exponent of polynomial", .min = 0.01, .max = 10});
  }
};

struct TrainerOptions {
  int64_t max_epochs = 20;
  int64_t max_steps = 0;
  Precision precision = Precision::kFloat32;
  int64_t accumulate = 1;
  double clip_norm = 0;
  double ema_decay = 0;
  bool freeze_batch_norm = false;
  int64_t max_bad_steps = 10;
  int64_t checkpoint_every = 500;
  int64_t keep_every = 0;
  int64_t keep_top_k = 1;
  int64_t validate_every = 0;
  int64_t log_every = 10;
  int64_t panels = 4;
  std::string monitor = "abs_rel";
  int64_t early_stop_patience = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("max_epochs", max_epochs, {.help = "passes over the training split", .min = 1});
    v.field("max_steps", max_steps,
            {.help = "stops after this many optimiser steps; 0: after max_epochs",
             .unit = "steps",
             .min = 0});
    v.field("precision", precision,
            {.help = "of encoder and decoder; heads and losses stay in float32"});
    v.field("accumulate", accumulate, {.help = "batches whose gradients make one step", .min = 1});
    v.field("clip_norm", clip_norm,
            {.help = "largest norm of the gradient; 0: not clipped", .min = 0});
    v.field("ema_decay", ema_decay,
            {.help = "decay of the averaged weights that are validated; 0: off",
             .min = 0,
             .max = 0.99999});
    v.field("freeze_batch_norm", freeze_batch_norm,
            {.help = "keeps the encoder's batch statistics as they were loaded"});
    v.field(
        "max_bad_steps", max_bad_steps,
        {.help = "steps in a row with a non-finite loss or gradient before giving up", .min = 1});
    v.field("checkpoint_every", checkpoint_every,
            {.help = "writes checkpoints/last", .unit = "steps", .min = 1});
    v.field("keep_every", keep_every,
            {.help = "also keeps step-N every so many steps; 0: never", .unit = "steps", .min = 0});
    v.field("keep_top_k", keep_top_k,
            {.help = "best checkpoints kept by monitor", .min = 1, .max = 100});
    v.field("validate_every", validate_every,
            {.help = "steps between validations; 0: after every epoch", .unit = "steps", .min = 0});
    v.field("log_every", log_every, {.help = "steps between metrics", .unit = "steps", .min = 1});
    v.field("panels", panels,
            {.help = "validation pictures in the event file", .min = 0, .max = 64});
    v.field("monitor", monitor, {.help = "validation metric that best and early stopping watch"});
    v.field("early_stop_patience", early_stop_patience,
            {.help = "validations without improvement before stopping; 0: never", .min = 0});
  }
};

struct EvaluationOptions {
  std::string protocol = "eigen-annotated";
  ScalingKind scaling = ScalingKind::kNone;
  bool flip = false;
  std::vector<double> range = {};
  bool classes = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("protocol", protocol, {.help = "named protocol: ground truth, crop and cap"});
    v.field("scaling", scaling, {.help = "per-picture scaling of predictions to ground truth"});
    v.field("flip", flip, {.help = "blends the prediction with that of the mirrored picture"});
    v.field(
        "range", range,
        {.help = "nearest and farthest truth that counts, in place of the protocol's 0.5 and 15; "
                 "ncdb only",
         .unit = "m",
         .min = 0});
    v.field("classes", classes, {.help = "also judges each class that the data set has masks of"});
  }
};

}  // namespace dualdepth
