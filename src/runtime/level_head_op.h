#pragma once

#include <torch/types.h>

#include <functional>
#include <openvino/op/op.hpp>

#include "dualdepth/model/level_head.h"

namespace dualdepth {

// LevelHead or IntegerLevelHead (model/level_head.h, model/integer_level_head.h) as an operation of
// OpenVINO.
//
//   input     float32 values or uint8 codes [N, H, W, C], as OpenVINO's convolutions leave them
//   output 0  int64 [N, 1, H, W]: the winning level
//   output 1  float32 [N, 1, H, W]: the fraction's logit, where the kernel computes it
class LevelHeadOp : public ov::op::Op {
 public:
  OPENVINO_OP("LevelHead", "dualdepth");

  struct Kernel {
    std::function<WinningHeads(const torch::Tensor& map, int threads)> run;
    bool has_fraction = false;
  };

  LevelHeadOp() = default;
  LevelHeadOp(const ov::Output<ov::Node>& map, Kernel kernel, int threads);

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool has_evaluate() const override { return true; }
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;

 private:
  Kernel kernel_;
  int threads_ = 1;
};

}  // namespace dualdepth
