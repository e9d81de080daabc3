#include "dualdepth/quantize/fingerprint.h"

#include <c10/util/hash.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace dualdepth::quantize {
namespace {

std::string sha1(std::string bytes) { return c10::sha1(bytes).str(); }

// The attributes and tensors of an operator, whichever of them it has.
class Attributes {
 public:
  template <class Operation>
  std::string operator()(const Operation& operation) {
    if constexpr (requires { operation.weight; }) add("weight", operation.weight);
    if constexpr (requires { operation.bias; }) add("bias", operation.bias);
    if constexpr (requires { operation.scale; }) add("scale", operation.scale);
    if constexpr (requires { operation.shift; }) add("shift", operation.shift);
    if constexpr (requires { operation.kernel; }) add("kernel", operation.kernel);
    if constexpr (requires { operation.stride; }) add("stride", operation.stride);
    if constexpr (requires { operation.padding; }) add("padding", operation.padding);
    if constexpr (requires { operation.dilation; }) add("dilation", operation.dilation);
    if constexpr (requires { operation.factor; }) add("factor", operation.factor);
    if constexpr (requires { operation.groups; }) add("groups", operation.groups);
    if constexpr (requires { operation.axis; }) add("axis", operation.axis);
    if constexpr (requires { operation.slope; }) add("slope", operation.slope);
    if constexpr (requires { operation.low; }) add("low", operation.low);
    if constexpr (requires { operation.high; }) add("high", operation.high);
    return text_;
  }

 private:
  void add(const char* key, const torch::Tensor& tensor) {
    const auto values = tensor.to(torch::kFloat32).contiguous();
    const auto* bytes = static_cast<const char*>(values.const_data_ptr());
    text_ += fmt::format(" {}:{}={}", key, fmt::join(values.sizes(), "x"),
                         sha1({bytes, static_cast<size_t>(values.nbytes())}));
  }
  void add(const char* key, const std::array<int64_t, 2>& numbers) {
    text_ += fmt::format(" {}={}", key, fmt::join(numbers, ","));
  }
  void add(const char* key, int64_t number) { text_ += fmt::format(" {}={}", key, number); }
  void add(const char* key, float number) { text_ += fmt::format(" {}={}", key, number); }

  std::string text_;
};

}  // namespace

std::string network_fingerprint(const graph::Graph& graph) {
  std::string text;
  for (const auto& node : graph.nodes()) {
    text += graph::kind_name(node.operation);
    for (const graph::NodeId input : node.inputs) text += fmt::format(" {}", input);
    text += std::visit(Attributes(), node.operation) + "\n";
  }
  for (const auto& output : graph.outputs()) {
    text += fmt::format("output {}={}\n", output.name, output.node);
  }
  return sha1(std::move(text));
}

}  // namespace dualdepth::quantize
