#include "level_head_op.h"

#include <algorithm>
#include <vector>

namespace dualdepth {
namespace {

// OpenVINO's memory as a tensor that is only read: from_blob takes no pointer to const.
template <class Number>
torch::Tensor view(const ov::Tensor& tensor) {
  const auto& shape = tensor.get_shape();
  return torch::from_blob(const_cast<Number*>(tensor.data<const Number>()),
                          std::vector<int64_t>(shape.begin(), shape.end()),
                          torch::CppTypeToScalarType<Number>::value);
}

}  // namespace

LevelHeadOp::LevelHeadOp(const ov::Output<ov::Node>& map, Kernel kernel, int threads)
    : Op({map}), kernel_(std::move(kernel)), threads_(threads) {
  constructor_validate_and_infer_types();
}

void LevelHeadOp::validate_and_infer_types() {
  const ov::PartialShape in = get_input_partial_shape(0);
  const ov::PartialShape out{in[0], 1, in[1], in[2]};
  set_output_type(0, ov::element::i64, out);
  if (kernel_.has_fraction) set_output_type(1, ov::element::f32, out);
}

std::shared_ptr<ov::Node> LevelHeadOp::clone_with_new_inputs(const ov::OutputVector& inputs) const {
  return std::make_shared<LevelHeadOp>(inputs.at(0), kernel_, threads_);
}

// Uses no thread of LibTorch's pool: they would go on spinning beside OpenVINO's.
bool LevelHeadOp::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  const ov::Shape in = inputs[0].get_shape();
  const auto map = inputs[0].get_element_type() == ov::element::u8 ? view<uint8_t>(inputs[0])
                                                                   : view<float>(inputs[0]);
  const auto heads = kernel_.run(map.permute({0, 3, 1, 2}), threads_);
  for (auto& output : outputs) output.set_shape({in[0], 1, in[1], in[2]});
  std::copy_n(heads.level.const_data_ptr<int64_t>(), heads.level.numel(),
              outputs[0].data<int64_t>());
  if (kernel_.has_fraction) {
    std::copy_n(heads.fraction_logits.const_data_ptr<float>(), heads.level.numel(),
                outputs[1].data<float>());
  }
  return true;
}

}  // namespace dualdepth
