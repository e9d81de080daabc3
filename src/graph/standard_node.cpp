#include "dualdepth/graph/standard_node.h"

#include <fmt/format.h>

#include <array>

#include "dualdepth/graph/graph.h"

namespace dualdepth::graph {
namespace {

constexpr std::array kAttributeTypes{"an integer", "a number",      "text",    "integers",
                                     "numbers",    "several texts", "a tensor"};
static_assert(kAttributeTypes.size() == std::variant_size_v<Attribute>);

}  // namespace

const Attribute* NodeReader::attribute(const char* name) {
  read_.insert(name);
  const auto found = node_.attributes.find(name);
  return found == node_.attributes.end() ? nullptr : &found->second;
}

template <class T>
static const T* typed(NodeReader& reader, const char* name) {
  const Attribute* attribute = reader.attribute(name);
  if (attribute == nullptr) return nullptr;
  const T* value = std::get_if<T>(attribute);
  const size_t wanted = Attribute(T()).index();
  if (value == nullptr) {
    reader.fail(fmt::format("{} as attribute {}", kAttributeTypes.at(wanted), name),
                kAttributeTypes.at(attribute->index()));
  }
  return value;
}

int64_t NodeReader::integer(const char* name, int64_t otherwise) {
  const auto* value = typed<int64_t>(*this, name);
  return value == nullptr ? otherwise : *value;
}

float NodeReader::number(const char* name, float otherwise) {
  const auto* value = typed<float>(*this, name);
  return value == nullptr ? otherwise : *value;
}

std::string NodeReader::text(const char* name, const char* otherwise) {
  const auto* value = typed<std::string>(*this, name);
  return value == nullptr ? otherwise : *value;
}

std::vector<int64_t> NodeReader::integers(const char* name, const std::vector<int64_t>& otherwise) {
  const auto* value = typed<std::vector<int64_t>>(*this, name);
  return value == nullptr ? otherwise : *value;
}

void NodeReader::expect(const char* name, int64_t expected, int64_t standard_default) {
  const int64_t value = integer(name, standard_default);
  if (value != expected) unsupported(fmt::format("{} {}", name, expected), std::to_string(value));
}

void NodeReader::expect_all_read() const {
  for (const auto& [name, value] : node_.attributes) {
    if (!read_.contains(name)) unsupported("attributes that are understood", name);
  }
}

bool NodeReader::has(size_t i) const {
  return i < size() && !std::holds_alternative<std::monostate>(node_.inputs[i]);
}

bool NodeReader::is_constant(size_t i) const {
  return i < size() && std::holds_alternative<ConstantValue>(node_.inputs[i]);
}

const ConstantValue& NodeReader::constant(size_t i) const {
  if (!has(i)) fail(fmt::format("an input {}", i), "none");
  if (!is_constant(i)) unsupported(fmt::format("a constant as input {}", i), "a computed value");
  return std::get<ConstantValue>(node_.inputs[i]);
}

std::vector<int64_t> NodeReader::integers_of(size_t i) const {
  const auto& values = constant(i).value;
  if (!at::isIntegralType(values.scalar_type(), /*includeBool=*/false) || values.dim() > 1) {
    fail(fmt::format("a list of integers as input {}", i), toString(values.scalar_type()));
  }
  const auto flat = values.to(torch::kInt64).flatten().contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

std::vector<int64_t> NodeReader::integers_at(const char* name, size_t i, int64_t since,
                                             const std::vector<int64_t>& otherwise) {
  if (opset() < since) return integers(name, otherwise);
  return has(i) ? integers_of(i) : otherwise;
}

const QuantizedValue* NodeReader::quantized(size_t i) const {
  return i < size() ? std::get_if<QuantizedValue>(&node_.inputs[i]) : nullptr;
}

const StandardValue& NodeReader::input(size_t i) const {
  if (!has(i)) fail(fmt::format("{} inputs", i + 1), "fewer");
  return node_.inputs[i];
}

NodeId NodeReader::value(size_t i) {
  if (!has(i)) fail(fmt::format("{} inputs", i + 1), "fewer");
  if (const auto* id = std::get_if<NodeId>(&node_.inputs[i])) return *id;
  if (quantized(i) != nullptr) unsupported("a DequantizeLinear behind each QuantizeLinear", type());
  const auto found = constants_.find(i);
  if (found != constants_.end()) return found->second;
  return constants_[i] = graph_.add(Constant{constant(i).value}, {}, node_.module);
}

const Node& NodeReader::operand(size_t i) { return graph_.node(value(i)); }

void NodeReader::expect_fixed_size() const {
  if (!node_.for_any_size) return;
  fail("a node that does not compute with the size of the picture", "a file of dynamic size");
}

void NodeReader::replace(NodeId id, Operation operation) {
  graph_.replace(id, std::move(operation));
  replaced_ = true;
}

NodeId NodeReader::add(Operation operation, std::vector<NodeId> inputs) {
  return graph_.add(std::move(operation), std::move(inputs), node_.module);
}

std::string NodeReader::subject() const {
  return fmt::format("node {} ({})", node_.name, node_.type);
}

void NodeReader::fail(const std::string& expected, const std::string& got) const {
  throw Error({.subject = subject(), .expected = expected, .got = got, .fix = ""});
}

void NodeReader::unsupported(const std::string& expected, const std::string& got) const {
  throw Unsupported({.subject = subject(), .expected = expected, .got = got, .fix = ""});
}

NamedAttribute::NamedAttribute(const char* name, int64_t value) : name(name), value(value) {}
NamedAttribute::NamedAttribute(const char* name, float value) : name(name), value(value) {}
NamedAttribute::NamedAttribute(const char* name, const char* value)
    : name(name), value(std::string(value)) {}
NamedAttribute::NamedAttribute(const char* name, const std::vector<int64_t>& value)
    : name(name), value(value) {}

std::vector<std::string> NodeWriter::inputs() const {
  const size_t count = graph().node(id()).inputs.size();
  std::vector<std::string> names;
  names.reserve(count);
  for (size_t i = 0; i < count; ++i) names.push_back(input(i));
  return names;
}

std::string NodeWriter::parameter(const char* what) const {
  const std::string& module = graph().node(id()).module;
  return (module.empty() ? name() : module) + "." + what;
}

std::string NodeWriter::number(const char* what, double value) {
  return constant(fmt::format("{}.{}", name(), what), torch::tensor({value}, torch::kFloat32), {});
}

std::string NodeWriter::integers(const char* what, const std::vector<int64_t>& values) {
  return constant(fmt::format("{}.{}", name(), what), torch::tensor(values, torch::kInt64),
                  {static_cast<int64_t>(values.size())});
}

}  // namespace dualdepth::graph
