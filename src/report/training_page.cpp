#include "dualdepth/report/training_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/io/image.h"
#include "dualdepth/report/html.h"
#include "dualdepth/report/plot.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

using Curves = std::map<std::string, std::vector<cv::Point2d>>;

// The points (step, value) of each metric; lines that are damaged are passed over.
Curves read_curves(const fs::path& metrics) {
  Curves curves;
  std::istringstream lines(read_file(metrics));
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object() || !row.contains("step") || !row["step"].is_number()) continue;
    for (const auto& [name, value] : row.items()) {
      if (value.is_number()) curves[name].push_back({row["step"].get<double>(), value});
    }
  }
  return curves;
}

struct Curve {
  const char* key;   // in metrics.jsonl
  const char* name;  // for the legend
};

std::string plot(const Curves& curves, const std::vector<Curve>& wanted, PlotOptions options) {
  std::vector<Series> series;
  for (const Curve& curve : wanted) {
    if (const auto found = curves.find(curve.key); found != curves.end()) {
      series.push_back({curve.name, found->second});
    }
  }
  options.x_label = "step";
  return line_plot(series, options);
}

std::string plots(const Curves& curves) {
  std::string html = "<div class=\"panels\">\n";
  const auto add = [&](const std::vector<Curve>& wanted, PlotOptions options) {
    html += plot(curves, wanted, std::move(options));
  };
  add({{"val/abs_rel", "abs_rel"}},
      {.title = "Validation: abs_rel", .x_label = "", .y_label = "abs_rel"});
  add({{"val/rmse", "rmse"}, {"val/mae", "mae"}},
      {.title = "Validation: rmse and mae", .x_label = "", .y_label = "m"});
  add({{"val/d1", "d1"}, {"val/d2", "d2"}, {"val/d3", "d3"}},
      {.title = "Validation: share within 1.25, 1.25², 1.25³",
       .x_label = "",
       .y_label = "share",
       .from_zero = false});
  add({{"loss", "loss"}},
      {.title = "Loss", .x_label = "", .y_label = "weighted sum", .from_zero = false});
  add({{"loss_integer", "level"},
       {"loss_fractional", "fraction"},
       {"loss_consistency", "consistency"}},
      {.title = "Its parts, unweighted", .x_label = "", .y_label = "loss", .log_y = true});
  add({{"lr", "lr"}}, {.title = "Learning rate", .x_label = "", .y_label = "lr"});
  add({{"gradient_norm", "norm"}},
      {.title = "Gradient norm", .x_label = "", .y_label = "norm", .log_y = true});
  add({{"images_per_s", "images/s"}}, {.title = "Speed", .x_label = "", .y_label = "images/s"});
  add({{"wait_share", "waiting"}, {"out_of_range_share", "truth out of range"}},
      {.title = "Time spent waiting for data; truth that cannot train",
       .x_label = "",
       .y_label = "share"});
  return html + "</div>\n";
}

// N of a file named step-N.jpg.
std::optional<int64_t> step_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  constexpr std::string_view kPrefix = "step-";
  if (file.extension() != ".jpg" || !stem.starts_with(kPrefix)) return std::nullopt;
  int64_t step = 0;
  const char* end = stem.data() + stem.size();
  const auto [stop, code] = std::from_chars(stem.data() + kPrefix.size(), end, step);
  if (code != std::errc() || stop != end) return std::nullopt;
  return step;
}

std::map<int64_t, fs::path> panel_files(const fs::path& folder) {
  std::map<int64_t, fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (const auto step = step_of(entry.path())) files.emplace(*step, entry.path());
  }
  return files;
}

std::string panels(const fs::path& folder) {
  constexpr size_t kMostShown = 6;
  const auto files = panel_files(folder);
  if (files.empty()) return "";
  std::string html =
      "<h2>Validation pictures over time</h2>\n<p>Picture, ground truth, prediction; red is near, "
      "blue far.</p>\n";
  const size_t shown = std::min(kMostShown, files.size());
  for (size_t i = 0; i < shown; ++i) {
    const size_t position = shown == 1 ? 0 : i * (files.size() - 1) / (shown - 1);
    const auto& [step, file] = *std::next(files.begin(), static_cast<ptrdiff_t>(position));
    html +=
        fmt::format("<figure class=\"wide\">\n<figcaption>step {0}</figcaption>\n{1}\n</figure>\n",
                    step, html_picture(read_rgb(file), fmt::format("panels at step {}", step)));
  }
  return html;
}

}  // namespace

std::string training_page(const fs::path& run_folder) {
  const Curves curves = read_curves(run_folder / "metrics.jsonl");
  std::string body = plots(curves) + panels(run_folder / "panels");
  const fs::path config = run_folder / "config.yaml";
  if (fs::exists(config)) {
    body += fmt::format(
        "<details><summary>Settings</summary>\n<pre class=\"wide\">{}</pre></details>\n",
        html_text(read_file(config)));
  }
  return html_page(
      "Training run " + fs::absolute(run_folder).lexically_normal().filename().string(), body);
}

}  // namespace dualdepth
