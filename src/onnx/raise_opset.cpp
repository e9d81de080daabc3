#include "raise_opset.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "onnx_tensor.h"

namespace dualdepth {
namespace {

// Operators whose nodes may stay valid from this opset on and mean something else.
const std::map<std::string, int64_t> kOtherMeaning{
    {"Resize", 11}, {"Softmax", 13}, {"LogSoftmax", 13}, {"Hardmax", 13}};

// Attributes that are inputs from an opset on, in the order of the inputs.
struct MovedAttributes {
  int64_t since;
  std::vector<const char*> names;
};
const std::map<std::string, MovedAttributes> kMoved{
    {"Clip", {11, {"min", "max"}}},
    {"Dropout", {12, {"ratio"}}},
    {"Pad", {11, {"pads", "value"}}},
    {"ReduceSum", {13, {"axes"}}},
    {"Slice", {10, {"starts", "ends", "axes"}}},
    {"Split", {13, {"split"}}},
    {"Squeeze", {13, {"axes"}}},
    {"TopK", {10, {"k"}}},
    {"Unsqueeze", {13, {"axes"}}},
};

// A list of one where the input is a list; a float is a scalar in each of these operators.
onnx::TensorProto tensor_of(const onnx::AttributeProto& attribute) {
  onnx::TensorProto tensor;
  if (attribute.type() == onnx::AttributeProto::FLOAT) {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_float_data(attribute.f());
    return tensor;
  }
  tensor.set_data_type(onnx::TensorProto::INT64);
  if (attribute.type() == onnx::AttributeProto::INT) {
    tensor.add_int64_data(attribute.i());
  } else {
    *tensor.mutable_int64_data() = attribute.ints();
  }
  tensor.add_dims(tensor.int64_data_size());
  return tensor;
}

void move_attributes(RaisedNode& raised, const std::vector<const char*>& names) {
  for (const char* name : names) {
    const auto* attribute = find_attribute(raised.node, name);
    raised.constants.push_back(attribute == nullptr ? onnx::TensorProto() : tensor_of(*attribute));
  }
  auto& all = *raised.node.mutable_attribute();
  const auto is_moved = [&](const onnx::AttributeProto& attribute) {
    return std::ranges::find(names, attribute.name()) != names.end();
  };
  all.erase(std::remove_if(all.begin(), all.end(), is_moved), all.end());
  while (!raised.constants.empty() && !raised.constants.back().has_data_type()) {
    raised.constants.pop_back();
  }
}

}  // namespace

std::optional<RaisedNode> raise_opset(const onnx::NodeProto& node, int64_t from, int64_t to) {
  RaisedNode raised{node};
  const std::string& type = node.op_type();
  const bool is_standard = node.domain().empty() || node.domain() == "ai.onnx";
  if (from == to || !is_standard) return raised;
  const auto schema = [&](int64_t opset) {
    return onnx::OpSchemaRegistry::Schema(type, static_cast<int>(opset), "");
  };
  const auto* after = schema(to);
  if (after == nullptr || after->Deprecated()) return std::nullopt;
  if (after == schema(from)) return raised;
  const auto other = kOtherMeaning.find(type);
  if (other != kOtherMeaning.end() && from < other->second && to >= other->second) {
    return std::nullopt;
  }
  const auto moved = kMoved.find(type);
  if (moved != kMoved.end() && from < moved->second.since && to >= moved->second.since) {
    move_attributes(raised, moved->second.names);
  }
  const int inputs = node.input_size() + static_cast<int>(raised.constants.size());
  const bool is_valid =
      inputs >= after->min_input() && inputs <= after->max_input() &&
      std::ranges::all_of(raised.node.attribute(), [&](const onnx::AttributeProto& attribute) {
        return after->attributes().contains(attribute.name());
      });
  return is_valid ? std::optional(std::move(raised)) : std::nullopt;
}

}  // namespace dualdepth
