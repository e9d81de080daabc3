#include "dualdepth/config/export_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth {

std::span<const ModelOutputs> outputs_of(HeadKind kind) {
  using enum ModelOutputs;
  static constexpr std::array kCategorical{kLevels, kLogits, kDepth};
  static constexpr std::array kCumulative{kPosition, kDepth};
  static constexpr std::array kSigmoid{kDepth, kLogits};
  static constexpr std::array kHilbert{kCoordinates};
  switch (kind) {
    case HeadKind::kCategorical:
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

void require_outputs(HeadKind kind, ModelOutputs outputs) {
  const auto allowed = outputs_of(kind);
  if (std::ranges::count(allowed, outputs) > 0) return;
  std::vector<std::string_view> names;
  for (const ModelOutputs one : allowed) names.push_back(enum_name(one));
  throw Error({.subject = "outputs",
               .expected = fmt::format("{}, of a network with a {} head", fmt::join(names, " or "),
                                       enum_name(kind)),
               .got = std::string(enum_name(outputs)),
               .fix = fmt::format("export it with --outputs {}", names.front())});
}

}  // namespace dualdepth
