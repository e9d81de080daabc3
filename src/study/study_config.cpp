#include "dualdepth/study/study_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/nearest_name.h"
#include "dualdepth/config/field_reader.h"
#include "dualdepth/config/run_config.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxNames = 256;

// A variant or a data set while it is read: the fields of a run's configuration beside its own.
struct VariantGroup {
  std::string name = {};
  std::string about = {};
  RunConfig config = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("about", about, {.help = "one sentence for the page"});
    config.visit(v);
  }
};

struct DataGroup {
  std::string name = {};
  std::string base = {};
  RenderOptions render = {};
  RunConfig config = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("base", base, {.help = "run configuration in place of the study's base"});
    v.group("render", render);
    config.visit(v);
  }
};

template <class Group>
struct NamedGroups {
  std::vector<Group>& all;

  template <class Visitor>
  void visit(Visitor& v) {
    for (Group& one : all) v.group(one.name, one);
  }
};

struct StudyOptions {
  std::string base = {};
  std::string output_dir = {};
  std::vector<int64_t> seeds = {0};
  std::string reference = {};
  JudgeOptions judge = {};
  std::vector<VariantGroup> variants = {};
  std::vector<DataGroup> data = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("base", base, {.help = "run configuration that every run starts from"});
    v.field("output_dir", output_dir, {.help = "folder of the study; default: runs/NAME"});
    v.field("seeds", seeds, {.help = "each variant is trained once from each", .min = 0});
    v.field("reference", reference,
            {.help = "variant that the others are compared with; default: the first"});
    v.group("judge", judge);
    NamedGroups<VariantGroup> variant_groups{variants};
    v.group("variants", variant_groups);
    NamedGroups<DataGroup> data_groups{data};
    v.group("data", data_groups);
  }
};

// The keys below a group of the file, each once; the reader reports all else that is wrong.
std::vector<std::string> names_below(const std::string& yaml, const char* group) {
  std::vector<std::string> names;
  YAML::Node document;
  try {
    document = YAML::Load(yaml);
  } catch (const YAML::Exception&) {
    return names;
  }
  if (!document.IsMap()) return names;
  for (const auto& entry : document) {
    if (!entry.first.IsScalar() || entry.first.Scalar() != group || !entry.second.IsMap()) continue;
    for (const auto& named : entry.second) {
      if (!named.first.IsScalar() || names.size() == kMaxNames) continue;
      const std::string& name = named.first.Scalar();
      if (std::ranges::count(names, name) == 0) names.push_back(name);
    }
  }
  return names;
}

// A name is part of keys and of a folder's path.
bool is_name(const std::string& name) {
  constexpr std::string_view kKnown =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(kKnown) == std::string::npos;
}

template <class Group>
std::vector<Group> groups_of(const std::vector<std::string>& names) {
  std::vector<Group> groups;
  for (const std::string& name : names) {
    if (name.find('.') == std::string::npos) groups.push_back({.name = name});
  }
  return groups;
}

void add_name_problems(const std::string& group, const std::vector<std::string>& names,
                       std::vector<ErrorParts>& problems) {
  for (const std::string& name : names) {
    if (is_name(name)) continue;
    problems.push_back({.subject = fmt::format("{}.{}", group, name),
                        .expected = "a name of at most 64 letters, digits, _ and -",
                        .got = fmt::format("\"{}\"", name),
                        .fix = ""});
  }
}

// What does not fit together.
std::vector<ErrorParts> problems_of(const StudyOptions& options) {
  std::vector<ErrorParts> problems;
  if (options.variants.empty()) {
    problems.push_back({.subject = "variants",
                        .expected = "at least one, as NAME: {key: value}",
                        .got = "none",
                        .fix = ""});
  }
  if (options.seeds.empty()) {
    problems.push_back({.subject = "seeds", .expected = "at least one", .got = "[]", .fix = ""});
  }
  std::vector<int64_t> seeds = options.seeds;
  std::ranges::sort(seeds);
  if (const auto repeated = std::ranges::adjacent_find(seeds); repeated != seeds.end()) {
    problems.push_back({.subject = "seeds",
                        .expected = "each seed once",
                        .got = fmt::format("{} more than once", *repeated),
                        .fix = "the same seed gives the same run again"});
  }
  std::vector<std::string_view> names;
  names.reserve(options.variants.size());
  for (const VariantGroup& variant : options.variants) names.push_back(variant.name);
  if (!options.reference.empty() && std::ranges::count(names, options.reference) == 0) {
    problems.push_back({.subject = "reference",
                        .expected = "the name of a variant",
                        .got = options.reference,
                        .fix = suggest_name(options.reference, names)});
  }
  const auto& weights = options.judge.weights;
  const bool per_channel = std::ranges::count(weights, WeightGranularity::kPerChannel) > 0;
  if (weights.empty() || std::ranges::count(weights, weights.front()) > 1 || weights.size() > 2) {
    problems.push_back({.subject = "judge.weights",
                        .expected = "per-channel, per-tensor or both, each once",
                        .got = fmt::format("a list of {}", weights.size()),
                        .fix = ""});
  } else if (options.judge.profile == OnnxProfile::kNpu && per_channel) {
    problems.push_back({.subject = "judge.weights",
                        .expected = "[per-tensor] with profile npu, which has no other scales",
                        .got = "per-channel",
                        .fix = ""});
  }
  for (const DataGroup& data : options.data) {
    if (!data.base.empty() || !options.base.empty()) continue;
    problems.push_back({.subject = "data." + data.name + ".base",
                        .expected = "a run configuration, here or as the study's base",
                        .got = "neither",
                        .fix = ""});
  }
  if (options.data.empty() && options.base.empty()) {
    problems.push_back(
        {.subject = "base", .expected = "a run configuration", .got = "nothing", .fix = ""});
  }
  return problems;
}

// Keys that the study itself decides.
std::optional<std::string> owner_of(const std::string& key) {
  if (key == "seed") return "the study's seeds decide it";
  if (key == "output_dir") return "each run has a folder of its own in the study's";
  if (key.starts_with("quantize.")) return "judge says how a study quantizes";
  return std::nullopt;
}

// The keys of a run's configuration that the file sets below `group`.
std::vector<ConfigOverride> overrides_of(RunConfig& config, const std::string& group,
                                         const FieldReader& reader,
                                         std::vector<ErrorParts>& problems) {
  std::vector<ConfigOverride> overrides;
  for (const Field& field : field_table(config)) {
    const std::string path = group + "." + field.path;
    if (!reader.was_set(path)) continue;
    if (const auto owner = owner_of(field.path)) {
      problems.push_back(
          {.subject = path, .expected = "nothing", .got = field.value(), .fix = *owner});
    }
    overrides.push_back({.key = field.path, .value = field.value()});
  }
  return overrides;
}

fs::path beside(const fs::path& file, const std::string& base) {
  return (file.parent_path() / base).lexically_normal();
}

}  // namespace

StudyConfig parse_study(const std::string& yaml, const fs::path& file,
                        std::span<const std::string> overrides) {
  const std::vector<std::string> variant_names = names_below(yaml, "variants");
  const std::vector<std::string> data_names = names_below(yaml, "data");
  StudyOptions options;
  options.variants = groups_of<VariantGroup>(variant_names);
  options.data = groups_of<DataGroup>(data_names);
  FieldReader reader(field_table(options), file.string(), {"variants", "data"});
  reader.read_file(yaml);
  for (const std::string& text : overrides) reader.read_override(text);
  std::vector<ErrorParts> problems = problems_of(options);
  add_name_problems("variants", variant_names, problems);
  add_name_problems("data", data_names, problems);
  StudyConfig study{.name = file.stem().string(),
                    .output_dir = options.output_dir,
                    .seeds = options.seeds,
                    .reference = options.reference,
                    .judge = options.judge,
                    .variants = {},
                    .data = {}};
  for (VariantGroup& group : options.variants) {
    study.variants.push_back(
        {.name = group.name,
         .about = group.about,
         .overrides = overrides_of(group.config, "variants." + group.name, reader, problems)});
  }
  for (DataGroup& group : options.data) {
    study.data.push_back(
        {.name = group.name,
         .base = beside(file, group.base.empty() ? options.base : group.base),
         .render = group.render,
         .overrides = overrides_of(group.config, "data." + group.name, reader, problems)});
  }
  if (options.data.empty()) {
    const fs::path base = beside(file, options.base);
    study.data.push_back({.name = base.stem().string(), .base = base});
  }
  reader.add_relations(std::move(problems));
  reader.throw_problems();
  if (study.reference.empty()) study.reference = study.variants.front().name;
  return study;
}

StudyConfig load_study(const fs::path& file, std::span<const std::string> overrides) {
  return parse_study(read_file(file, kMaxFileBytes), file, overrides);
}

}  // namespace dualdepth::study
