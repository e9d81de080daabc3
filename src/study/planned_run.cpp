#include "dualdepth/study/planned_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "dualdepth/base/error.h"
#include "dualdepth/base/nearest_name.h"
#include "dualdepth/config/field_table.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;

std::vector<ConfigOverride> text_overrides(
    const std::vector<std::pair<std::string, std::string>>& texts) {
  std::vector<ConfigOverride> overrides;
  overrides.reserve(texts.size());
  for (const auto& [key, text] : texts) {
    overrides.push_back({key, field_table_detail::value_text(text)});
  }
  return overrides;
}

// Where `dualdepth synthesize` puts things.
std::vector<ConfigOverride> rendered_paths(const StudyData& data, const fs::path& folder) {
  const std::string out = folder.string();
  if (data.render.layout == DatasetKind::kNcdb) {
    auto overrides = text_overrides({{"data.root", out},
                                     {"data.train_split", out + "/splits/train.json"},
                                     {"data.val_split", out + "/splits/val.json"}});
    overrides.push_back({"data.dataset", "ncdb"});
    return overrides;
  }
  auto overrides = text_overrides({{"data.root", out + "/raw"},
                                   {"data.depth_root", out + "/depth"},
                                   {"data.train_split", out + "/splits/train.txt"},
                                   {"data.val_split", out + "/splits/val.txt"}});
  overrides.push_back({"data.dataset", "kitti"});
  return overrides;
}

// The values were read once, so that they fit.
void override_keys(const std::vector<ConfigOverride>& overrides, RunConfig& config) {
  const std::vector<Field> fields = field_table(config);
  for (const ConfigOverride& one : overrides) {
    const auto field = std::ranges::find(fields, one.key, &Field::path);
    if (field != fields.end()) field->assign(YAML::Load(one.value));
  }
}

std::vector<ErrorParts> problems_of(const RunConfig& config) {
  std::vector<ErrorParts> problems = config.problems();
  const auto require = [&](const std::string& value, const char* key) {
    if (value.empty()) {
      problems.push_back({.subject = key, .expected = "a file", .got = "nothing", .fix = ""});
    }
  };
  require(config.data.train_split, "data.train_split");
  require(config.data.val_split, "data.val_split");
  return problems;
}

}  // namespace

std::string PlannedRun::id() const { return fmt::format("{}/{}/seed_{}", variant, data, seed); }

fs::path rendered_folder(const fs::path& out, const StudyData& data) {
  return out / "data" / data.name;
}

std::vector<PlannedRun> plan_runs(const StudyConfig& study, const fs::path& out) {
  std::vector<RunConfig> bases;
  bases.reserve(study.data.size());
  for (const StudyData& data : study.data) {
    bases.push_back(load_run_config(data.base));
    if (data.render.frames > 0) {
      override_keys(rendered_paths(data, rendered_folder(out, data)), bases.back());
    }
    override_keys(data.overrides, bases.back());
  }
  std::vector<PlannedRun> runs;
  std::set<std::string> problems;
  for (const int64_t seed : study.seeds) {
    for (size_t d = 0; d < study.data.size(); ++d) {
      for (const StudyVariant& variant : study.variants) {
        PlannedRun run{.variant = variant.name,
                       .data = study.data[d].name,
                       .seed = seed,
                       .config = bases[d],
                       .folder = {}};
        override_keys(variant.overrides, run.config);
        run.config.seed = seed;
        run.folder = out / "runs" / run.id();
        run.config.output_dir = (run.folder / "train").string();
        for (ErrorParts problem : problems_of(run.config)) {
          problem.subject =
              fmt::format("variant {} on data {}: {}", run.variant, run.data, problem.subject);
          problems.insert(to_string(problem));
        }
        runs.push_back(std::move(run));
      }
    }
  }
  if (!problems.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems, "\n")));
  return runs;
}

std::vector<PlannedRun> runs_of_variants(const StudyConfig& study,
                                         const std::vector<PlannedRun>& runs,
                                         const std::vector<std::string>& names) {
  if (names.empty()) return runs;
  std::vector<std::string_view> known;
  known.reserve(study.variants.size());
  for (const StudyVariant& variant : study.variants) known.push_back(variant.name);
  for (const std::string& name : names) {
    if (std::ranges::count(known, name) > 0) continue;
    throw Error({.subject = "--only",
                 .expected = "a variant of " + study.name,
                 .got = name,
                 .fix = suggest_name(name, known)});
  }
  std::vector<PlannedRun> some;
  std::ranges::copy_if(runs, std::back_inserter(some), [&](const PlannedRun& run) {
    return std::ranges::count(names, run.variant) > 0;
  });
  return some;
}

}  // namespace dualdepth::study
