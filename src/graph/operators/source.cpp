// What makes a value without computing it from others by a formula of the graph.

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {

namespace {

// That of the picture which the graph is made for; what is computed of it is a constant, too.
std::vector<StandardValue> read_shape(NodeReader& node) {
  if (!node.is_constant(0)) node.expect_fixed_size();
  const Shape shape =
      node.is_constant(0) ? node.constant(0).value.sizes().vec() : node.operand(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const auto bound = [&](int64_t value) {
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  const int64_t start = bound(node.integer("start", 0));
  const int64_t end = std::max(start, bound(node.integer("end", rank)));
  return {ConstantValue{torch::tensor(shape, torch::kInt64).slice(0, start, end).clone()}};
}

std::vector<StandardValue> read_constant_of_shape(NodeReader& node) {
  constexpr int64_t kMost = int64_t{1} << 25;
  const auto sizes = node.integers_of(0);
  int64_t count = 1;
  for (const int64_t size : sizes) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > kMost) {
      node.fail(fmt::format("sizes of at most {} numbers", kMost), to_text(sizes));
    }
  }
  const Attribute* value = node.attribute("value");
  if (value == nullptr) return {ConstantValue{torch::zeros(sizes)}};
  const auto* number = std::get_if<torch::Tensor>(value);
  if (number == nullptr || number->numel() != 1) node.fail("one number as value", "others");
  return {ConstantValue{number->flatten()[0].expand(sizes).contiguous()}};
}

// In inference it passes its input on.
std::vector<StandardValue> read_dropout(NodeReader& node) {
  if (node.opset() < 12) {
    node.number("ratio", 0.5F);
  } else {
    node.integer("seed", 0);
  }
  if (node.opset() >= 12 && node.has(2) && node.constant(2).value.to(torch::kBool).item<bool>()) {
    node.unsupported("Dropout of inference", "training_mode");
  }
  return {node.input(0)};
}

}  // namespace

OperatorEntry input_entry() {
  return make_entry<Input>({
      .name = named<Input>("Input"),
      .infer = [](const Input&, const Operands& in) -> ValueType {
        in.expect(false, "Graph::add_input", "Graph::add");
        return {};
      },
      .compute = [](const Input& input, const Arguments&) -> Value {
        throw Error(
            {.subject = "input " + input.name, .expected = "a picture", .got = "none", .fix = ""});
      },
      .color = "#dfe7ef",
      .write = [](const Input&, NodeWriter&) {},
  });
}

OperatorEntry constant_entry() {
  return make_entry<Constant>({
      .name = named<Constant>("Constant"),
      .infer = [](const Constant& constant, const Operands& in) -> ValueType {
        in.expect_count(0);
        in.expect(constant.value.defined(), "a value", "none");
        return {constant.value.sizes().vec(), constant.value.scalar_type()};
      },
      .compute = [](const Constant& constant, const Arguments&) { return Value(constant.value); },
      .parameters = [](const Constant& constant) { return constant.value.numel(); },
      .color = "#dfe7ef",
      .forms = {{"Constant",
                 [](NodeReader& node) -> std::vector<StandardValue> {
                   for (const char* name : {"value_float", "value_int"}) {
                     if (!node.has_attribute(name)) continue;
                     const bool is_float = std::string_view(name) == "value_float";
                     return {ConstantValue{
                         is_float ? torch::tensor(node.number(name, 0))
                                  : torch::tensor(node.integer(name, 0), torch::kInt64)}};
                   }
                   if (node.has_attribute("value_ints")) {
                     return {ConstantValue{
                         torch::tensor(node.integers("value_ints", {}), torch::kInt64)}};
                   }
                   const Attribute* value = node.attribute("value");
                   if (value == nullptr && (value = node.attribute("value_floats")) != nullptr) {
                     if (const auto* all = std::get_if<std::vector<float>>(value)) {
                       return {ConstantValue{torch::tensor(*all)}};
                     }
                   }
                   if (value == nullptr || !std::holds_alternative<torch::Tensor>(*value)) {
                     node.unsupported("a tensor or numbers as value", "another constant");
                   }
                   return {ConstantValue{std::get<torch::Tensor>(*value)}};
                 }},
                {"Shape", read_shape},
                {"ConstantOfShape", read_constant_of_shape, 9},
                {"Identity",
                 [](NodeReader& node) -> std::vector<StandardValue> { return {node.input(0)}; }},
                {"Dropout", read_dropout, 7}},
      .write =
          [](const Constant& constant, NodeWriter& out) {
            out.finish(out.constant(out.parameter("constant"), constant.value,
                                    constant.value.sizes().vec()));
          },
  });
}

OperatorEntry foreign_entry() {
  return make_entry<Foreign>({
      .name = [](const Foreign& foreign) { return std::string_view(foreign.type); },
      .infer = [](const Foreign& foreign, const Operands&) -> ValueType {
        return {foreign.shape, foreign.element};
      },
      .compute = [](const Foreign& foreign, const Arguments& in) -> Value {
        if (!foreign.compute) {
          throw Error({.subject = foreign.type,
                       .expected = "an operator that the network graph knows, or a runtime for it",
                       .got = "neither",
                       .fix = "docs/deployment.md lists the operators"});
        }
        std::vector<torch::Tensor> inputs;
        inputs.reserve(in.values.size());
        for (const Value& value : in.values) inputs.push_back(value.real());
        return foreign.compute(inputs);
      },
      .details = [](const Foreign&) { return std::string("foreign"); },
      .color = "#ffffff",
      .write = [](const Foreign& foreign, NodeWriter& out) { out.make_foreign(foreign); },
  });
}

}  // namespace dualdepth::graph
