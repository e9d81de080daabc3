#include "dualdepth/graph/operator_table.h"

#include <algorithm>
#include <array>

#include "operators/entries.h"

namespace dualdepth::graph {
namespace {

// In the order of Operation.
const auto& table() {
  static const std::array<OperatorEntry, std::variant_size_v<Operation>> entries{
      input_entry(),        affine_entry(),     conv_entry(),           relu_entry(),
      sigmoid_entry(),      add_entry(),        max_pool_entry(),       upsample_entry(),
      concat_entry(),       arg_max_entry(),    fake_quantize_entry(),  compose_depth_entry(),
      constant_entry(),     foreign_entry(),    conv_transpose_entry(), linear_entry(),
      mat_mul_entry(),      binary_entry(),     unary_entry(),          clip_entry(),
      hard_sigmoid_entry(), leaky_relu_entry(), p_relu_entry(),         softmax_entry(),
      average_pool_entry(), reduce_entry(),     resize_entry(),         pad_entry(),
      slice_entry(),        transpose_entry(),  reshape_entry(),        squeeze_entry(),
      unsqueeze_entry(),    expand_entry(),     gather_entry(),         cast_entry()};
  return entries;
}

}  // namespace

const OperatorEntry& entry_of(const Operation& operation) { return table()[operation.index()]; }

const StandardForm* find_form(std::string_view type, std::string_view domain, int64_t opset) {
  for (const OperatorEntry& entry : table()) {
    for (const StandardForm& form : entry.forms) {
      if (form.type == type && form.domain == domain && opset >= form.first_opset &&
          opset <= form.last_opset) {
        return &form;
      }
    }
  }
  return nullptr;
}

std::vector<std::string> standard_operators() {
  std::vector<std::string> types;
  for (const OperatorEntry& entry : table()) {
    for (const StandardForm& form : entry.forms) types.emplace_back(form.type);
  }
  std::ranges::sort(types);
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

}  // namespace dualdepth::graph
