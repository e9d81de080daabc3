#include "dualdepth/train/optimizer.h"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

namespace dualdepth {
namespace {

// The fused kernels walk parameter, gradient and moments as flat memory.
torch::Tensor with_layout_of(const torch::Tensor& parameter, const torch::Tensor& gradient) {
  if (gradient.strides() == parameter.strides()) return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, NamedTensors parameters)
    : options_(options), groups_(4) {
  const bool adam = options.type != OptimizerKind::kSgd;
  for (const auto& [name, parameter] : parameters) {
    const bool in_encoder = name.starts_with("encoder.");
    const bool decays = parameter.dim() > 1;
    Group& group = groups_[(in_encoder ? 2 : 0) + (decays ? 1 : 0)];
    group.lr_factor = in_encoder ? options.encoder_lr_scale : 1;
    group.weight_decay = decays ? options.weight_decay : 0;
    group.names.push_back(name);
    group.parameters.push_back(parameter);
    const torch::Tensor zeros = at::zeros_like(parameter.detach());
    if (adam || options.momentum > 0) group.first_moments.push_back(zeros);
    if (adam) group.second_moments.push_back(zeros.clone());
  }
  const auto device =
      parameters.empty() ? at::Device(at::kCPU) : parameters.begin()->second.device();
  step_ = torch::zeros({}, torch::dtype(torch::kFloat32).device(device));
}

double Optimizer::gradient_norm() const {
  std::vector<torch::Tensor> gradients;
  for (const Group& group : groups_) {
    for (const torch::Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  if (gradients.empty()) return 0;
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)), 2).item<double>();
}

void Optimizer::step(double lr_scale, double gradient_divisor) {
  const torch::NoGradGuard no_grad;
  step_ += 1;
  const torch::Tensor divisor = torch::full({}, gradient_divisor, step_.options());
  for (const Group& group : groups_) {
    update(group, options_.lr * group.lr_factor * lr_scale, divisor);
  }
}

void Optimizer::update(const Group& group, double lr, const torch::Tensor& gradient_divisor) {
  std::vector<torch::Tensor> parameters, gradients, first, second;
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const torch::Tensor& parameter = group.parameters[i];
    if (!parameter.grad().defined()) continue;
    parameters.push_back(parameter);
    gradients.push_back(with_layout_of(parameter, parameter.grad()));
    if (!group.first_moments.empty()) first.push_back(group.first_moments[i]);
    if (!group.second_moments.empty()) second.push_back(group.second_moments[i]);
  }
  if (parameters.empty()) return;
  const std::vector<torch::Tensor> steps(parameters.size(), step_);
  switch (options_.type) {
    case OptimizerKind::kAdam:
      at::_fused_adam_(parameters, gradients, first, second, {}, steps, lr, options_.beta1,
                       options_.beta2, group.weight_decay, options_.eps, /*amsgrad=*/false,
                       /*maximize=*/false, gradient_divisor);
      break;
    case OptimizerKind::kAdamW:
      at::_fused_adamw_(parameters, gradients, first, second, {}, steps, lr, options_.beta1,
                        options_.beta2, group.weight_decay, options_.eps, /*amsgrad=*/false,
                        /*maximize=*/false, gradient_divisor);
      break;
    case OptimizerKind::kSgd:
      at::_fused_sgd_(parameters, gradients, first, group.weight_decay, options_.momentum, lr,
                      /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                      /*is_first_step=*/false, gradient_divisor);
      break;
  }
}

void Optimizer::zero_gradients() {
  for (Group& group : groups_) {
    for (torch::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
}

int64_t Optimizer::updates() const { return static_cast<int64_t>(step_.item<float>()); }

NamedTensors Optimizer::state() const {
  NamedTensors state{{"step", step_}};
  const bool adam = options_.type != OptimizerKind::kSgd;
  for (const Group& group : groups_) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      const std::string& name = group.names[i];
      const std::string first = (adam ? "exp_avg." : "momentum.") + name;
      if (!group.first_moments.empty()) state[first] = group.first_moments[i];
      if (!group.second_moments.empty()) state["exp_avg_sq." + name] = group.second_moments[i];
    }
  }
  return state;
}

}  // namespace dualdepth
