#include <fmt/format.h>

#include <set>

#include "lint_table.h"

// TensorRT's rules for explicit Q/DQ ("Working with Quantized Types" in its developer guide). They
// say what it takes and what lets it fuse; a file without Q/DQ breaks none.
namespace dualdepth {
namespace {

using Got = LintGot;
using Model = OnnxView;

bool dequantizes(const onnx::NodeProto* node) {
  return node != nullptr && node->op_type() == "DequantizeLinear";
}

// Is made by DequantizeLinear.
bool is_dequantized(const Model& model, const std::string& value) {
  return dequantizes(model.producer(value));
}

Got signed_type(const Model& model, const onnx::NodeProto& node) {
  if (node.input_size() < 3) {
    return node.op_type() == "QuantizeLinear" ? Got("uint8, the type without a zero point") : Got();
  }
  const auto* zero = model.tensor(node.input(2));
  if (zero == nullptr) return "a zero point that is computed";
  const auto type = static_cast<onnx::TensorProto::DataType>(zero->data_type());
  const bool fits = type == onnx::TensorProto::INT8 || type == onnx::TensorProto::INT32;
  return fits ? Got() : onnx::TensorProto::DataType_Name(type);
}

Got zero_point(const Model& model, const onnx::NodeProto& node) {
  for (const double value : numbers_of(model, node, 2)) {
    if (value != 0) return fmt::format("{}", value);
  }
  return std::nullopt;
}

Got one_step_for_values(const Model& model, const onnx::NodeProto& node) {
  const auto steps = numbers_of(model, node, 1);
  if (steps.size() < 2 || model.tensor(node.input(0)) != nullptr) return std::nullopt;
  return fmt::format("{} scales", steps.size());
}

Got float_bias(const Model& model, const onnx::NodeProto& node) {
  if (node.input_size() < 3 || !is_dequantized(model, node.input(2))) return std::nullopt;
  return "a bias behind DequantizeLinear";
}

// Of what an Add reads, a convolution's own result is to come in float: TensorRT adds in the
// convolution's kernel, before it rounds.
Got float_side(const Model& model, const onnx::NodeProto& node) {
  int dequantized = 0;
  for (const auto& input : node.input()) dequantized += is_dequantized(model, input) ? 1 : 0;
  return dequantized < 2 ? Got() : "both sides behind DequantizeLinear";
}

// The node that computes a value, before what only passes values on. OnnxFile refuses cycles, so
// that this ends.
const onnx::NodeProto* source(const Model& model, const std::string& value) {
  const auto* producer = model.producer(value);
  while (producer != nullptr && producer->input_size() > 0 &&
         (producer->op_type() == "Resize" || producer->op_type() == "Upsample" ||
          producer->op_type() == "MaxPool")) {
    producer = model.producer(producer->input(0));
  }
  return producer;
}

Got shared_scale(const Model& model, const onnx::NodeProto& node) {
  std::set<double> scales;
  int plain = 0;
  for (const auto& input : node.input()) {
    const auto* producer = source(model, input);
    const auto scale =
        dequantizes(producer) ? numbers_of(model, *producer, 1) : std::vector<double>();
    if (scale.size() == 1) {
      scales.insert(scale.front());
    } else {
      ++plain;
    }
  }
  if (scales.size() > 1) return fmt::format("{} different scales", scales.size());
  return !scales.empty() && plain > 0 ? Got("some inputs in float") : Got();
}

}  // namespace

const std::vector<LintRow>& tensorrt_table() {
  static const std::vector<LintRow> rows{
      {{"int8", "int8 for values and filters", "quantize with profile tensorrt"},
       {"QuantizeLinear", "DequantizeLinear"},
       signed_type},
      {{"zero-point", "zero points that are 0", "quantize with profile tensorrt"},
       {"QuantizeLinear", "DequantizeLinear"},
       zero_point},
      {{"per-tensor-values", "one scale for each value; filters alone may have one each",
        "quantize values per tensor"},
       {"QuantizeLinear", "DequantizeLinear"},
       one_step_for_values},
      {{"float-bias", "convolutions with a bias in float", "quantize with profile tensorrt"},
       {"Conv", "ConvTranspose"},
       float_bias},
      {{"add-in-float", "an Add with at most one side behind Q/DQ: the skip connection's",
        "leave the convolution's side in float"},
       {"Add"},
       float_side},
      {{"concat-scale", "a Concat whose inputs share one scale",
        "give them the widest range of all"},
       {"Concat"},
       shared_scale}};
  return rows;
}

}  // namespace dualdepth
