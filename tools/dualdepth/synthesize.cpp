#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/data/synthetic_kitti.h"
#include "dualdepth/data/synthetic_ncdb.h"
#include "verbs.h"

namespace dualdepth {
namespace {

using synthetic::SyntheticSetOptions;

struct SynthesizeCommand {
  std::string layout = "kitti";
  std::string shape;  // empty: the layout's own
  int64_t seed = 0;
  SyntheticSetOptions options;
};

// "HxW" in pixels.
cv::Size parse_shape(const std::string& text) {
  int height = 0;
  int width = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, height);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == 'x') {
    const auto second = std::from_chars(first.ptr + 1, end, width);
    if (second.ec == std::errc() && second.ptr == end) return {width, height};
  }
  throw Error({.subject = "--shape",
               .expected = "HEIGHTxWIDTH in pixels, such as 192x640",
               .got = text,
               .fix = ""});
}

void run(SynthesizeCommand& command, ProgramState& state) {
  command.options.seed = static_cast<uint64_t>(command.seed);
  const bool ncdb = command.layout == "ncdb";
  const std::string usual = ncdb ? "384x640" : "192x640";
  command.options.size = parse_shape(command.shape.empty() ? usual : command.shape);
  const auto summary = ncdb ? synthesize_ncdb(command.options) : synthesize_kitti(command.options);
  if (!summary) {
    fmt::print(stderr, "stopped; nothing was written\n");
    state.exit_code = kExitInterrupted;
    return;
  }
  fmt::print("{} frames for train and {} for val in {} sequences\n", summary->train_frames,
             summary->val_frames, summary->sequences);
  const std::string out = command.options.out.string();
  if (ncdb) {
    fmt::print("data.root         {}\n", out);
    fmt::print("data.depth_type   depth_original (as sparse as a LiDAR's), depth (every pixel)\n");
    fmt::print("data.train_split  {}/splits/train.json\n", out);
    fmt::print("data.val_split    {}/splits/val.json\n", out);
    return;
  }
  fmt::print("data.root         {}/raw\n", out);
  fmt::print("data.depth_root   {0}/depth (every pixel: {0}/depth_dense)\n", out);
  fmt::print("data.train_split  {}/splits/train.txt\n", out);
  fmt::print("data.val_split    {}/splits/val.txt\n", out);
}

}  // namespace

void add_synthesize(CLI::App& program, ProgramState& state) {
  CLI::App* verb = program.add_subcommand(
      "synthesize",
      "Render a data set with exact depth, in the layout of a real one: roads (kitti) or "
      "car parks through a fisheye lens (ncdb)");
  auto command = std::make_shared<SynthesizeCommand>();
  verb->add_option("--layout", command->layout, "Layout on disk")
      ->check(CLI::IsMember({"kitti", "ncdb"}))
      ->capture_default_str();
  verb->add_option("--frames", command->options.frames, "Frames in all sequences together")
      ->capture_default_str();
  verb->add_option("--seed", command->seed, "Same seed, same bytes")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  verb->add_option("--out", command->options.out, "Folder, new or with an earlier synthetic set")
      ->required();
  verb->add_option("--shape", command->shape,
                   "HEIGHTxWIDTH, px; default: 192x640 for kitti, 384x640 for ncdb");
  verb->add_option("--threads", command->options.threads, "Threads; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->footer(
      "Example: dualdepth synthesize --layout kitti --frames 200 --seed 1 --out data/road");
  verb->callback([command, &state] { run(*command, state); });
}

}  // namespace dualdepth
