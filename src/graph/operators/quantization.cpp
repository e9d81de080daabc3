#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/run_graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

constexpr const char* kMicrosoftDomain = "com.microsoft";

// s (clamp(round(codes), ...)), codes counted from the zero point.
torch::Tensor dequantize(const torch::Tensor& codes, const FakeQuantize& grid) {
  const auto low = static_cast<double>(grid.first_code() - grid.zero_point);
  const auto high = static_cast<double>(grid.last_code() - grid.zero_point);
  return codes.round().clamp_(low, high).mul_(grid.scale);
}

ValueType infer(const FakeQuantize& quantize, const Operands& in) {
  in.expect(quantize.bits == 8 || quantize.bits == 16, "codes of 8 or 16 bits",
            std::to_string(quantize.bits));
  in.expect(std::isfinite(quantize.scale) && quantize.scale > 0, "a finite scale above 0",
            fmt::format("{}", quantize.scale));
  in.expect(
      quantize.zero_point >= quantize.first_code() && quantize.zero_point <= quantize.last_code(),
      fmt::format("a zero point of {} to {}", quantize.first_code(), quantize.last_code()),
      std::to_string(quantize.zero_point));
  return in.only_float();
}

Value compute(const FakeQuantize& grid, const Arguments& in) {
  const Value& x = in.values[0];
  if (!x.is_sum()) return fake_quantize(x.real(), grid);
  return dequantize(x.sums() * (x.step() / grid.scale), grid);
}

// The scale of a QuantizeLinear or DequantizeLinear, float [1] or [n].
torch::Tensor read_scale(NodeReader& node) {
  const auto& scale = node.constant(1).value;
  if (scale.scalar_type() != torch::kFloat32 || scale.dim() > 1) {
    node.unsupported("a float scale, or one for each index of an axis",
                     to_text(scale.sizes().vec()));
  }
  if (!scale.isfinite().logical_and(scale.gt(0)).all().item<bool>()) {
    node.fail("finite scales above 0", "others");
  }
  return scale.flatten();
}

// Undefined without one.
torch::Tensor read_zero_point(NodeReader& node, int64_t scales) {
  if (!node.has(2)) return {};
  const auto& zero = node.constant(2).value;
  if (zero.numel() != scales) {
    node.fail(fmt::format("{} zero points, as many as scales", scales),
              std::to_string(zero.numel()));
  }
  return zero.flatten();
}

struct CodeType {
  int64_t data_type;  // of TensorProto
  torch::ScalarType type;
  bool is_signed;
  int64_t bits;
};

constexpr std::array kCodeTypes{
    CodeType{2, torch::kUInt8, false, 8}, CodeType{3, torch::kInt8, true, 8},
    CodeType{4, torch::kUInt16, false, 16}, CodeType{5, torch::kInt16, true, 16}};

const CodeType& code_type(const FakeQuantize& grid) {
  return *std::ranges::find_if(kCodeTypes, [&](const CodeType& known) {
    return known.is_signed == grid.is_signed && known.bits == grid.bits;
  });
}

// The type of the codes: that of the zero point; from opset 21 on also output_dtype; uint8
// otherwise.
const CodeType& read_code_type(NodeReader& node, const torch::Tensor& zero) {
  const int64_t asked = node.integer("output_dtype", 0);
  const auto of_attribute = std::ranges::find(kCodeTypes, asked, &CodeType::data_type);
  if (asked != 0 && of_attribute == kCodeTypes.end()) {
    node.unsupported("codes of 8 or 16 bits", fmt::format("output_dtype {}", asked));
  }
  if (!zero.defined()) return asked == 0 ? kCodeTypes.front() : *of_attribute;
  const auto found = std::ranges::find(kCodeTypes, zero.scalar_type(), &CodeType::type);
  if (found == kCodeTypes.end()) {
    node.unsupported("codes of 8 or 16 bits", toString(zero.scalar_type()));
  }
  if (asked != 0 && asked != found->data_type) {
    node.fail("output_dtype that is the zero point's", "another");
  }
  return *found;
}

FakeQuantize per_tensor(NodeReader& node, const torch::Tensor& scale, const torch::Tensor& zero,
                        const CodeType& type) {
  if (scale.numel() != 1) {
    node.unsupported("one scale for a value", std::to_string(scale.numel()));
  }
  return {scale.item<float>(), zero.defined() ? zero.to(torch::kInt64).item<int64_t>() : 0,
          type.is_signed, type.bits};
}

// The first of a pair; its DequantizeLinear makes the node.
std::vector<StandardValue> read_quantize(NodeReader& node) {
  const auto scale = read_scale(node);
  const auto zero = read_zero_point(node, scale.numel());
  const CodeType& type = read_code_type(node, zero);
  node.integer("axis", 1);  // has no effect on one scale
  node.expect("block_size", 0, 0);
  node.expect("saturate", 1, 1);  // of 8-bit floats
  node.expect("precision", 0, 0);
  if (node.is_constant(0) && scale.numel() == 1) {
    const auto grid = per_tensor(node, scale, zero, type);
    const auto codes = (node.constant(0).value / grid.scale).round() + grid.zero_point;
    return {ConstantValue{codes.clamp(grid.first_code(), grid.last_code()).to(type.type)}};
  }
  return {QuantizedValue{node.value(0), per_tensor(node, scale, zero, type)}};
}

std::vector<StandardValue> dequantize_constant(NodeReader& node, const torch::Tensor& scale,
                                               const torch::Tensor& zero, int64_t axis) {
  const auto& codes = node.constant(0).value;
  const int64_t rank = codes.dim();
  if (!at::isIntegralType(codes.scalar_type(), false)) {
    node.unsupported("codes of whole numbers", toString(codes.scalar_type()));
  }
  std::vector<int64_t> along(static_cast<size_t>(rank), 1);
  if (scale.numel() > 1) {
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank || codes.size(axis) != scale.numel()) {
      node.fail(fmt::format("as many scales as axis {} of {} is long", axis,
                            to_text(codes.sizes().vec())),
                std::to_string(scale.numel()));
    }
    along[static_cast<size_t>(axis)] = -1;
  }
  auto whole = codes.to(torch::kFloat64);
  if (zero.defined()) whole = whole - zero.to(torch::kFloat64).view(along);
  const auto value = (whole * scale.to(torch::kFloat64).view(along)).to(torch::kFloat32);
  // Filters keep their scale only where signed codes with zero point 0 represent the same values.
  const double half = 1 << (8 * std::min<size_t>(codes.element_size(), 2) - 1);
  const bool fits = codes.scalar_type() != torch::kInt32 &&
                    whole.ge(-half).logical_and(whole.lt(half)).all().item<bool>();
  return {ConstantValue{value, fits ? scale : torch::Tensor(), axis}};
}

std::vector<StandardValue> read_dequantize(NodeReader& node) {
  const auto scale = read_scale(node);
  const auto zero = read_zero_point(node, scale.numel());
  const int64_t axis = node.integer("axis", 1);
  node.expect("block_size", 0, 0);
  if (node.integer("output_dtype", 1) > 1) node.unsupported("float values", "another output_dtype");
  const QuantizedValue* quantized = node.quantized(0);
  if (quantized == nullptr) {
    if (node.is_constant(0)) return dequantize_constant(node, scale, zero, axis);
    node.unsupported("a constant or QuantizeLinear before it", "another value");
  }
  const bool same_type =
      !zero.defined() || zero.scalar_type() == code_type(quantized->quantization).type;
  const auto own = per_tensor(node, scale, zero, code_type(quantized->quantization));
  if (!same_type || own != quantized->quantization) {
    node.unsupported("scale and zero point of its QuantizeLinear", "others");
  }
  return one(node.add(quantized->quantization, {quantized->source}));
}

// Opset 9 has no such operators, and none has codes of 16 bits before opset 21; ONNX Runtime and
// OpenVINO know them in this domain.
const char* domain_of(const NodeWriter& out, int64_t bits) {
  return out.for_npu() || (bits == 16 && out.opset() < 21) ? kMicrosoftDomain : "";
}

void write(const FakeQuantize& grid, NodeWriter& out) {
  const auto scale = out.constant(out.name() + ".scale", torch::tensor({grid.scale}), {});
  const auto zero = out.constant(out.name() + ".zero_point",
                                 torch::tensor({grid.zero_point}).to(code_type(grid).type), {});
  const char* domain = domain_of(out, grid.bits);
  const auto codes = out.step({"QuantizeLinear", {out.input(), scale, zero}, {}, domain});
  out.finish(out.step({"DequantizeLinear", {codes, scale, zero}, {}, domain}));
}

}  // namespace

torch::Tensor fake_quantize(const torch::Tensor& x, const FakeQuantize& grid) {
  return dequantize(x / grid.scale, grid);
}

std::string write_dequantized(NodeWriter& out, const std::string& name, const torch::Tensor& codes,
                              const torch::Tensor& scale, int64_t axis) {
  const bool each = scale.numel() > 1;
  const std::vector<int64_t> shape = each ? scale.sizes().vec() : std::vector<int64_t>();
  std::vector<std::string> inputs{out.constant(name + "_quantized", codes, codes.sizes().vec()),
                                  out.constant(name + "_scale", scale, shape)};
  if (codes.scalar_type() != torch::kInt32) {
    const auto zero = torch::zeros(scale.sizes(), codes.scalar_type());
    inputs.push_back(out.constant(name + "_zero_point", zero, shape));
  }
  const int64_t bits = codes.scalar_type() == torch::kInt16 ? 16 : 8;
  std::vector<NamedAttribute> attributes;
  if (each) attributes.emplace_back("axis", axis);
  return out.step({"DequantizeLinear", inputs, attributes, domain_of(out, bits)});
}

OperatorEntry fake_quantize_entry() {
  std::vector<StandardForm> forms;
  for (const char* domain : {"", kMicrosoftDomain}) {
    forms.push_back({.type = "QuantizeLinear", .read = read_quantize, .domain = domain});
    forms.push_back({.type = "DequantizeLinear", .read = read_dequantize, .domain = domain});
  }
  return make_entry<FakeQuantize>({
      .name = named<FakeQuantize>("FakeQuantize"),
      .infer = infer,
      .compute = compute,
      .color = "#ececec",
      .forms = forms,
      .write = write,
  });
}

}  // namespace dualdepth::graph
