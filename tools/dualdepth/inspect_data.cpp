#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/base/spread.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/data/contact_sheet.h"
#include "dualdepth/data/data_summary.h"
#include "dualdepth/io/image.h"
#include "inspect.h"

namespace dualdepth {
namespace {

constexpr std::array kHistogramEdges = {0.0,  1.0,  2.0,  5.0,  10.0, 15.0, 20.0,
                                        30.0, 40.0, 50.0, 60.0, 80.0, 256.0};  // m
constexpr size_t kMostLines = 20;  // of what is missing, for each split

struct InspectDataOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::filesystem::path out = "contact_sheet.png";
  std::filesystem::path json;
  size_t pictures = 24;
  int threads = 0;
};

struct InspectedSplit {
  std::string name;  // train or val
  std::string file;
  std::unique_ptr<Dataset> dataset;
  DataSummary summary;
};

double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

void print_list(const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  fmt::print("  {} ({}):\n", title, lines.size());
  for (size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) fmt::print("    {}\n", lines[i]);
  if (lines.size() > kMostLines) fmt::print("    and {} more\n", lines.size() - kMostLines);
}

void print_depth(const DataSummary& summary) {
  const DepthHistogram& depth = summary.depth;
  const auto count = static_cast<double>(depth.count());
  fmt::print("  valid pixels     {} ({:.2f} % of the pictures with ground truth)\n", depth.count(),
             percent(count, static_cast<double>(summary.pixels)));
  if (depth.count() == 0) return;
  fmt::print(
      "  depth            mean {:.2f} m, 1 % below {:.2f}, half below {:.2f}, 99 % below "
      "{:.2f} m\n",
      depth.mean(), depth.quantile(0.01), depth.quantile(0.5), depth.quantile(0.99));
  for (size_t i = 0; i + 1 < kHistogramEdges.size(); ++i) {
    const auto inside =
        static_cast<double>(depth.count_between(kHistogramEdges[i], kHistogramEdges[i + 1]));
    fmt::print("    {:3g} to {:3g} m {:6.2f} % {}\n", kHistogramEdges[i], kHistogramEdges[i + 1],
               percent(inside, count),
               std::string(static_cast<size_t>(percent(inside, count)), '#'));
  }
}

void print_split(const InspectedSplit& split) {
  const DataSummary& summary = split.summary;
  fmt::print("{}  {}\n", split.name, split.file);
  fmt::print("  samples          {}\n", summary.samples);
  for (const auto& [size, count] : summary.sizes) {
    fmt::print("  pictures         {} of {}x{}\n", count, size.first, size.second);
  }
  print_depth(summary);
  print_list("files missing", summary.missing);
  print_list("samples that cannot be read", summary.faults);
  print_list("samples without a valid pixel", summary.without_depth);
  fmt::print("\n");
}

nlohmann::ordered_json to_json(const InspectedSplit& split) {
  const DataSummary& summary = split.summary;
  nlohmann::ordered_json sizes = nlohmann::ordered_json::array();
  for (const auto& [size, count] : summary.sizes) {
    sizes.push_back({{"width", size.first}, {"height", size.second}, {"count", count}});
  }
  nlohmann::ordered_json histogram = nlohmann::ordered_json::array();
  for (size_t i = 0; i + 1 < kHistogramEdges.size(); ++i) {
    histogram.push_back(
        {{"from", kHistogramEdges[i]},
         {"to", kHistogramEdges[i + 1]},
         {"pixels", summary.depth.count_between(kHistogramEdges[i], kHistogramEdges[i + 1])}});
  }
  return {{"split", split.file},
          {"samples", summary.samples},
          {"sizes", sizes},
          {"pixels", summary.pixels},
          {"valid_pixels", summary.depth.count()},
          {"mean_depth", summary.depth.mean()},
          {"histogram", histogram},
          {"missing", summary.missing},
          {"faults", summary.faults},
          {"without_depth", summary.without_depth}};
}

std::vector<InspectedSplit> inspect_splits(const DataOptions& data, int threads) {
  // What is missing is listed here, whatever training makes of it.
  DataOptions lenient = data;
  lenient.missing = MissingPolicy::kSkip;
  std::vector<InspectedSplit> splits;
  const auto add = [&](const char* name, const std::string& file, SplitRole role) {
    InspectedSplit split{name, file, open_dataset(lenient, role), {}};
    split.summary = summarize(*split.dataset, threads, name);
    splits.push_back(std::move(split));
  };
  if (!data.train_split.empty() || data.val_split.empty()) {
    add("train", data.train_split, SplitRole::kTrain);
  }
  if (!data.val_split.empty()) add("val", data.val_split, SplitRole::kValidation);
  return splits;
}

// Samples that both splits list: what validation says would be worth nothing.
std::vector<std::string> shared_ids(const std::vector<InspectedSplit>& splits) {
  if (splits.size() < 2) return {};
  std::set<std::string> train;
  for (size_t i = 0; i < splits[0].dataset->size(); ++i) train.insert(splits[0].dataset->id(i));
  std::vector<std::string> shared;
  for (size_t i = 0; i < splits[1].dataset->size(); ++i) {
    if (train.count(splits[1].dataset->id(i)) > 0) shared.push_back(splits[1].dataset->id(i));
  }
  return shared;
}

void write_contact_sheet(const std::vector<InspectedSplit>& splits,
                         const InspectDataOptions& options, double max_depth) {
  ContactSheetOptions sheet;
  sheet.max_depth = max_depth;
  std::vector<cv::Mat> cells;
  for (const InspectedSplit& split : splits) {
    for (const size_t index :
         spread_indices(split.dataset->size(), options.pictures / splits.size())) {
      try {
        cells.push_back(contact_cell(split.dataset->load(index), sheet));
      } catch (const Error& error) {  // printed among the faults
        spdlog::debug("not on the contact sheet: {}", error.what());
      }
    }
  }
  write_rgb(options.out, contact_sheet(cells, sheet));
  fmt::print("contact sheet  {}\n", options.out.string());
}

// The exit code is that of wrong input when training would stop at it.
void check_usable(const std::vector<InspectedSplit>& splits, MissingPolicy missing) {
  for (const InspectedSplit& split : splits) {
    const DataSummary& summary = split.summary;
    if (!summary.faults.empty()) throw Error(summary.faults.front());
    if (missing == MissingPolicy::kError && !summary.missing.empty()) {
      throw Error({.subject = split.file,
                   .expected = "every listed sample with its files",
                   .got = std::to_string(summary.missing.size()) + " without, the first is " +
                          summary.missing.front(),
                   .fix = "mend the data, or leave them out with data.missing=skip"});
    }
    if (summary.depth.count() == 0) {
      throw Error({.subject = split.file.empty() ? split.name : split.file,
                   .expected = "depth at some pixel of the data set",
                   .got = "none in " + std::to_string(summary.samples) + " samples",
                   .fix = "check data.depth_root and data.ground_truth"});
    }
  }
}

void inspect_data(const InspectDataOptions& options) {
  const RunConfig config = load_run_config(options.config, options.overrides);
  const auto splits = inspect_splits(config.data, resolve_thread_count(options.threads));
  for (const InspectedSplit& split : splits) print_split(split);
  const std::vector<std::string> shared = shared_ids(splits);
  if (!shared.empty()) {
    fmt::print("{} samples stand in both splits, {} is one\n\n", shared.size(), shared.front());
  }
  write_contact_sheet(splits, options, config.model.params.codec.max_depth);
  if (!options.json.empty()) {
    nlohmann::ordered_json json;
    for (const InspectedSplit& split : splits) json[split.name] = to_json(split);
    json["in_both"] = shared;
    write_file_atomically(options.json, json.dump(2) + "\n");
  }
  check_usable(splits, config.data.missing);
}

}  // namespace

void add_inspect_data(CLI::App& inspect, ProgramState&) {
  const auto options = std::make_shared<InspectDataOptions>();
  CLI::App* verb = inspect.add_subcommand(
      "data", "Read a whole data set; print counts, sizes, depths and what is missing");
  verb->add_option("config", options->config, "YAML file whose data section is inspected")
      ->required()
      ->type_name("CONFIG");
  verb->add_option("overrides", options->overrides, "keys set over the file's, key.path=value");
  verb->add_option("--out", options->out, "contact sheet with depth drawn over the pictures")
      ->type_name("PNG")
      ->capture_default_str();
  verb->add_option("--pictures", options->pictures, "pictures on the contact sheet")
      ->capture_default_str();
  verb->add_option("--threads", options->threads, "threads that read; 0: all cores")
      ->capture_default_str();
  verb->add_option("--json", options->json, "also write what is printed")->type_name("FILE");
  verb->footer("Example: dualdepth inspect data configs/kitti_mini.yaml --out sheet.png");
  verb->callback([options] { inspect_data(*options); });
}

}  // namespace dualdepth
