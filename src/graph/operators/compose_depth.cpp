#include <cmath>

#include "dualdepth/codec/depth_codec.h"
#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/plain_depth.h"
#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

constexpr int64_t kFloat = 1;  // TensorProto.DataType

std::string reflect(NodeWriter& out, const std::string& level, const std::string& fraction) {
  // f for even levels, 1 - f for odd ones: f (1 - 2 p) + p with p = level - 2 floor(level / 2).
  const auto half_level = out.step({"Mul", {level, out.number("half", 0.5)}});
  const auto half = out.step({"Floor", {half_level}});
  const auto even = out.step({"Mul", {half, out.number("two", 2)}});
  const auto parity = out.step({"Sub", {level, even}});
  const auto one = out.number("one", 1);
  const auto twice = out.step({"Mul", {parity, out.number("two", 2)}});
  const auto sign = out.step({"Sub", {one, twice}});
  return out.step({"Add", {out.step({"Mul", {fraction, sign}}), parity}});
}

std::string from_axis(NodeWriter& out, const std::string& x, const CodecOptions& codec) {
  const double m = codec.min_depth;
  const double M = codec.max_depth;
  const auto K = static_cast<double>(codec.n_integer_levels);
  if (codec.spacing == Spacing::kLinear) {
    const auto scaled = out.step({"Mul", {x, out.number("step", (M - m) / K)}});
    return out.step({"Add", {scaled, out.number("min_depth", m)}});
  }
  if (codec.spacing == Spacing::kLog) {
    const auto scaled = out.step({"Mul", {x, out.number("step", std::log(M / m) / K)}});
    const auto power = out.step({"Exp", {scaled}});
    return out.step({"Mul", {power, out.number("min_depth", m)}});
  }
  const auto scaled = out.step({"Mul", {x, out.number("step", (1 / m - 1 / M) / K)}});
  const auto inverse = out.number("inverse_min_depth", 1 / m);
  return out.step({"Reciprocal", {out.step({"Sub", {inverse, scaled}})}});
}

std::string clip(NodeWriter& out, const std::string& x, double low, double high) {
  if (!out.for_npu()) {
    const auto least = out.number("low", low);
    return out.step({"Clip", {x, least, out.number("high", high)}});
  }
  return out.step(
      {"Clip", {x}, {{"min", static_cast<float>(low)}, {"max", static_cast<float>(high)}}});
}

void write_levels(const CodecOptions& codec, NodeWriter& out) {
  const double M = codec.max_depth;
  const auto K = static_cast<double>(codec.n_integer_levels);
  std::string level = out.input(0);
  const Graph& graph = out.graph();
  if (graph.node(graph.node(out.id()).inputs[0]).type != torch::kFloat32) {
    level = out.step({"Cast", {level}, {{"to", kFloat}}});
  }
  if (codec.codec == CodecKind::kRounded || codec.codec == CodecKind::kContinuous) {
    const auto integer = out.step({"Mul", {level, out.number("step", M / (K - 1))}});
    return out.finish(clip(out, out.step({"Add", {integer, out.input(1)}}), 0, M + 1));
  }
  std::string fraction = out.input(1);
  if (codec.codec == CodecKind::kReflected) fraction = reflect(out, level, fraction);
  const auto x = out.step({"Add", {level, fraction}});
  out.finish(clip(out, from_axis(out, x, codec), codec.min_depth, M));
}

void write(const ComposeDepth& compose, NodeWriter& out) {
  const CodecOptions& codec = compose.codec;
  const double m = codec.min_depth;
  const double M = codec.max_depth;
  switch (compose.head) {
    case HeadKind::kCategorical:
      return write_levels(codec, out);
    case HeadKind::kCumulative:
      return out.finish(clip(out, from_axis(out, out.input(), codec), m, M));
    case HeadKind::kSigmoid:
    case HeadKind::kHilbert:
      break;
  }
  const auto span = out.step({"Mul", {out.input(), out.number("span", M - m)}});
  out.finish(out.step({"Add", {span, out.number("min_depth", m)}}));
}

torch::Tensor composed(const ComposeDepth& compose, const Arguments& in) {
  switch (compose.head) {
    case HeadKind::kCategorical:
      return DepthCodec(compose.codec).decode(in.real(0), in.real(1));
    case HeadKind::kCumulative:
      return position_to_depth(in.real(), compose.codec);
    case HeadKind::kSigmoid:
    case HeadKind::kHilbert:
      break;
  }
  // plain_depth applies the sigmoid that the graph has as a node of its own.
  return plain_depth(in.real().clamp(1e-7, 1 - 1e-7).logit(), compose.codec);
}

}  // namespace

OperatorEntry compose_depth_entry() {
  return make_entry<ComposeDepth>({
      .name = named<ComposeDepth>("ComposeDepth"),
      .infer = [](const ComposeDepth& compose, const Operands& in) -> ValueType {
        in.expect_count(compose.head == HeadKind::kCategorical ? 2 : 1);
        for (size_t i = 0; i < in.size(); ++i) {
          const Shape& x = in[i].shape;
          in.expect(x.size() == 4 && x[1] == 1 && x == in[0].shape,
                    "inputs [N, 1, H, W] of equal shape", to_text(x));
        }
        return {in[0].shape};
      },
      .compute = [](const ComposeDepth& compose, const Arguments& in) -> Value {
        return composed(compose, in);
      },
      .color = "#f7d0ea",
      .write = write,
  });
}

}  // namespace dualdepth::graph
