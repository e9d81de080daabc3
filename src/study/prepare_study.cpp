#include "dualdepth/study/prepare_study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/data/synthetic_kitti.h"
#include "dualdepth/data/synthetic_ncdb.h"
#include "dualdepth/study/export_preflight.h"
#include "dualdepth/study/study_folder.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "synthetic.json";  // of a whole set

bool is_rendered(const fs::path& folder, DatasetKind layout,
                 const synthetic::SyntheticSetOptions& options) {
  return fs::exists(folder / kMark) &&
         read_file(folder / kMark) == synthetic::describe_set(enum_name(layout), options);
}

}  // namespace

bool render_data(const StudyConfig& study, const fs::path& out) {
  for (const StudyData& data : study.data) {
    const RenderOptions& render = data.render;
    if (render.frames == 0) continue;
    const fs::path folder = rendered_folder(out, data);
    const synthetic::SyntheticSetOptions options{
        .out = folder,
        .frames = static_cast<int>(render.frames),
        .seed = static_cast<uint64_t>(render.seed),
        .size = {static_cast<int>(render.shape[1]), static_cast<int>(render.shape[0])}};
    if (is_rendered(folder, render.layout, options)) continue;
    spdlog::info("renders {} frames to {}", render.frames, folder.string());
    const auto summary =
        render.layout == DatasetKind::kNcdb ? synthesize_ncdb(options) : synthesize_kitti(options);
    if (!summary) return false;
  }
  return true;
}

void expect_exportable(const StudyConfig& study, const std::vector<PlannedRun>& runs) {
  const fs::path scratch =
      fs::temp_directory_path() / fmt::format("dualdepth-preflight-{}.onnx", ::getpid());
  std::set<std::string> seen;
  std::vector<std::string> obstacles;
  for (const PlannedRun& run : runs) {
    if (stage_is_done(run.folder, kExportStage)) continue;
    if (!seen.insert(run.variant + "/" + run.data).second) continue;
    const auto obstacle = export_obstacle(run.config.model, study.judge.profile, scratch);
    if (!obstacle) continue;
    obstacles.push_back(fmt::format("variant {} on data {}: {}", run.variant, run.data, *obstacle));
  }
  if (obstacles.empty()) return;
  throw Error({.subject = "judge.profile",
               .expected = "a profile that all variants can be exported for",
               .got = fmt::format("{}\n  {}\n", enum_name(study.judge.profile),
                                  fmt::join(obstacles, "\n  ")),
               .fix = "leave these variants out, or choose another profile"});
}

}  // namespace dualdepth::study
