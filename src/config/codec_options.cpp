#include "dualdepth/config/codec_options.h"

#include <fmt/format.h>

#include "dualdepth/base/error.h"

namespace dualdepth {

void CodecOptions::check() const {
  if (n_integer_levels < 2 || n_integer_levels > 256) {
    throw ConfigError({.subject = "model.params.n_integer_levels",
                       .expected = "2 to 256",
                       .got = fmt::format("{}", n_integer_levels),
                       .fix = ""});
  }
  if (!(min_depth > 0 && min_depth < max_depth)) {
    throw ConfigError({.subject = "model.params.min_depth",
                       .expected = fmt::format("above 0 and below max_depth ({} m)", max_depth),
                       .got = fmt::format("{} m", min_depth),
                       .fix = ""});
  }
  const bool linear_only = codec == CodecKind::kRounded || codec == CodecKind::kContinuous;
  if (linear_only && spacing != Spacing::kLinear) {
    throw ConfigError({.subject = "model.params.spacing",
                       .expected = fmt::format("linear with codec: {}", enum_name(codec)),
                       .got = std::string(enum_name(spacing)),
                       .fix = "take codec: reflected or step for other spacings"});
  }
}

}  // namespace dualdepth
