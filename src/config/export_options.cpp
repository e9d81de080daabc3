#include "dualdepth/config/export_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth {

std::span<const ModelOutputs> outputs_of(HeadKind kind, LevelDecoding decoding) {
  using enum ModelOutputs;
  static constexpr std::array kCategorical{kLevels, kLogits, kDepth};
  static constexpr std::array kExpectation{kDepth, kLogits};
  static constexpr std::array kMedian{kLogits};
  static constexpr std::array kCumulative{kPosition, kDepth};
  static constexpr std::array kSigmoid{kDepth, kLogits};
  static constexpr std::array kHilbert{kCoordinates};
  switch (kind) {
    case HeadKind::kCategorical:
      if (decoding == LevelDecoding::kExpectation) return kExpectation;
      if (decoding == LevelDecoding::kMedian) return kMedian;
      return kCategorical;
    case HeadKind::kCumulative:
      return kCumulative;
    case HeadKind::kSigmoid:
      return kSigmoid;
    case HeadKind::kHilbert:
      break;
  }
  return kHilbert;
}

std::span<const ModelOutputs> outputs_of(const ModelOptions& model) {
  return outputs_of(model.head_kind(), model.params.codec.decoding);
}

void require_outputs(HeadKind kind, LevelDecoding decoding, ModelOutputs outputs) {
  const auto allowed = outputs_of(kind, decoding);
  if (std::ranges::count(allowed, outputs) > 0) return;
  std::vector<std::string_view> names;
  for (const ModelOutputs one : allowed) names.push_back(enum_name(one));
  const std::string decoded = decoding == LevelDecoding::kArgmax
                                  ? ""
                                  : fmt::format(" and decoding {}", enum_name(decoding));
  throw Error({.subject = "outputs",
               .expected = fmt::format("{}, of a network with a {} head{}",
                                       fmt::join(names, " or "), enum_name(kind), decoded),
               .got = std::string(enum_name(outputs)),
               .fix = fmt::format("export it with --outputs {}", names.front())});
}

}  // namespace dualdepth
