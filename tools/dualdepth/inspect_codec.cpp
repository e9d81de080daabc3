#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/codec/precision_table.h"
#include "enum_option.h"
#include "inspect.h"

namespace dualdepth {
namespace {

constexpr double kMillimetres = 1000;

struct InspectCodecOptions {
  CodecOptions codec;
  std::filesystem::path json;
};

// The rows at each third of the levels: 0, 85, 170 and 255 of 256, which are 10, 20 and 30 m in the
// original table.
std::vector<LevelPrecision> sample_levels(const PrecisionTable& table, int64_t n_levels) {
  std::vector<LevelPrecision> samples;
  for (int third = 0; third <= 3; ++third) {
    const int64_t level = third * (n_levels - 1) / 3;
    const auto row = std::ranges::lower_bound(table.levels, level, {}, &LevelPrecision::level);
    if (row == table.levels.end()) continue;
    if (samples.empty() || samples.back().level != row->level) samples.push_back(*row);
  }
  return samples;
}

void print_table(const CodecOptions& codec, const PrecisionTable& table) {
  fmt::print("codec {}, spacing {}, {} levels, {} to {} m\n\n", enum_name(codec.codec),
             enum_name(codec.spacing), codec.n_integer_levels, codec.min_depth, codec.max_depth);
  const bool linear = codec.spacing == Spacing::kLinear;
  fmt::print("level step           {:.4g} mm{}\n", table.level_step * kMillimetres,
             linear ? "" : " (mean)");
  fmt::print("fraction step        {:.3g} mm{}\n", table.fraction_step * kMillimetres,
             linear ? "" : " (mean)");
  fmt::print("codes                {}\n", table.codes);
  fmt::print("fraction codes used  {:.0f} of 255\n", table.fraction_codes_used);
  fmt::print("worst round trip     {:.3g} mm at {:.4g} m, with both heads in 8 bits\n\n",
             table.worst_round_trip * kMillimetres, table.worst_depth);

  fmt::print("{:>5} {:>9} {:>9} {:>9} {:>9} {:>12} {:>13}\n", "level", "from m", "centre m", "to m",
             "width mm", "fraction mm", "round trip mm");
  for (const LevelPrecision& row : sample_levels(table, codec.n_integer_levels)) {
    fmt::print("{:5} {:9.3f} {:9.3f} {:9.3f} {:9.1f} {:12.3f} {:13.3f}\n", row.level, row.from,
               row.centre, row.to, row.step() * kMillimetres, row.fraction_step * kMillimetres,
               row.worst_round_trip * kMillimetres);
  }
}

nlohmann::ordered_json to_json(const CodecOptions& codec, const PrecisionTable& table) {
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const LevelPrecision& row : table.levels) {
    levels.push_back({{"level", row.level},
                      {"from", row.from},
                      {"centre", row.centre},
                      {"to", row.to},
                      {"fraction_step", row.fraction_step},
                      {"worst_round_trip", row.worst_round_trip}});
  }
  return {{"codec", enum_name(codec.codec)},
          {"spacing", enum_name(codec.spacing)},
          {"n_integer_levels", codec.n_integer_levels},
          {"min_depth", codec.min_depth},
          {"max_depth", codec.max_depth},
          {"level_step", table.level_step},
          {"fraction_step", table.fraction_step},
          {"codes", table.codes},
          {"fraction_codes_used", table.fraction_codes_used},
          {"worst_round_trip", table.worst_round_trip},
          {"worst_depth", table.worst_depth},
          {"levels", levels}};
}

}  // namespace

void add_inspect_codec(CLI::App& inspect, ProgramState&) {
  const auto options = std::make_shared<InspectCodecOptions>();
  CLI::App* verb = inspect.add_subcommand(
      "codec", "Print how finely a codec says depth when each head is carried in 8 bits");
  CodecOptions& codec = options->codec;
  add_enum_option(*verb, "--codec", codec.codec, "how metres become a level and a fraction");
  add_enum_option(*verb, "--spacing", codec.spacing, "axis on which levels are evenly spaced");
  verb->add_option("--levels", codec.n_integer_levels, "levels, 2 to 256")->capture_default_str();
  verb->add_option("--min-depth", codec.min_depth, "nearest depth, m")->capture_default_str();
  verb->add_option("--max-depth", codec.max_depth, "farthest depth, m")->capture_default_str();
  verb->add_option("--json", options->json, "also write the table, all levels, in metres")
      ->type_name("FILE");
  verb->footer("Example: dualdepth inspect codec --codec rounded --max-depth 30");
  verb->callback([options] {
    const PrecisionTable table = precision_table(options->codec);
    print_table(options->codec, table);
    if (options->json.empty()) return;
    write_file_atomically(options->json, to_json(options->codec, table).dump(2) + "\n");
  });
}

}  // namespace dualdepth
