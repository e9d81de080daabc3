#include "dualdepth/config/run_config.h"

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/config/field_reader.h"

namespace dualdepth {
namespace {

constexpr uintmax_t kMaxFileBytes = 1 << 20;

}  // namespace

RunConfig load_run_config(const std::filesystem::path& file,
                          std::span<const std::string> overrides) {
  return parse_run_config(read_file(file, kMaxFileBytes), file.string(), overrides);
}

RunConfig parse_run_config(const std::string& yaml, const std::string& origin,
                           std::span<const std::string> overrides) {
  RunConfig config;
  FieldReader reader(field_table(config), origin);
  reader.read_file(yaml);
  for (const std::string& override_text : overrides) reader.read_override(override_text);
  reader.add_relations(config.problems());
  reader.throw_problems();
  return config;
}

}  // namespace dualdepth
