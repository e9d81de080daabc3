#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/export/export_model.h"
#include "dualdepth/runtime/device.h"
#include "enum_option.h"
#include "shape_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct ExportVerb {
  fs::path checkpoint;
  fs::path out;
  std::string shape;
  bool no_centring = false;
  ExportOptions options;
  int64_t threads = 0;
};

void print_centring(const graph::Centring& centring) {
  fmt::print(
      "centred    winning logit's spread {:.2f} -> {:.2f} over {} pixels; winners now {:.2f} to "
      "{:.2f}, the rest ends at 0\n",
      centring.spread_before, centring.spread_after, centring.pixels, centring.smallest,
      centring.greatest);
}

void print_check(const ExportCheck& check, HeadKind head, const char* runtime) {
  fmt::print("check      {} pictures, {} pixels, {} against the checkpoint\n", check.pictures,
             check.pixels, runtime);
  fmt::print("           depth differs by {:.3g} mm on average, by at most {:.3g} mm",
             1000 * check.mean_difference, 1000 * check.worst_depth);
  if (head == HeadKind::kCategorical) {
    fmt::print(
        " but for {} near ties\n"
        "           (the two best logits less than {:.0e} apart); fraction by at most {:.2g}",
        check.near_ties, kNearTie, check.worst_fraction);
  }
  fmt::print("\n");
  if (check.holds()) {
    fmt::print("           all others agree\n");
    if (check.other_levels > 0) {
      fmt::print("           except {} pixels with another {}\n", check.other_levels,
                 head == HeadKind::kHilbert ? "place on the curve" : "level");
    }
    return;
  }
  const auto refuse = [](int64_t pixels, const std::string& what) {
    if (pixels > 0) fmt::print("           {} pixels {}\n", pixels, what);
  };
  refuse(check.other_levels, "have another level than the checkpoint");
  refuse(check.out_of_tolerance, fmt::format("differ by more than {} mm or {} of a level",
                                             1000 * kDepthTolerance, kFractionTolerance));
  refuse(check.non_finite, "are NaN or infinite");
  refuse(check.clipped_winners,
         fmt::format("have no logit above 0 behind the centred head's Relu, so that the file "
                     "returns the nearest level there (most of them in {}): add such pictures to "
                     "--center-with",
                     check.clipped_in));
  fmt::print("           nothing is written\n");
}

void run_export(ExportVerb verb, ProgramState& state) {
  if (!verb.shape.empty()) verb.options.shape = parse_shape(verb.shape);
  set_compute_threads(verb.threads);
  const bool onnx = verb.options.format == ExportFormat::kOnnx;
  const Checkpoint checkpoint = open_checkpoint(verb.checkpoint);
  const bool can_be_centred =
      checkpoint.config.model.head_kind() == HeadKind::kCategorical && !verb.no_centring;
  if (onnx && verb.options.profile == OnnxProfile::kNpu && verb.options.center_with.empty() &&
      can_be_centred) {
    throw Error({.subject = "profile npu",
                 .expected = "--center-with PICTURES: its integer head is centred, so that 8 bits "
                             "keep it",
                 .got = "none",
                 .fix = "name some pictures like those that the model will see, or pass "
                        "--no-centring"});
  }
  const fs::path folder = fs::absolute(verb.out).parent_path();
  make_writable_folder(folder);
  const auto report = export_checkpoint(checkpoint, verb.options, folder / verb.out.filename());
  if (report.nodes > 0) fmt::print("graph      {} nodes\n", report.nodes);
  if (report.centring) print_centring(*report.centring);
  print_check(report.check, checkpoint.config.model.head_kind(), onnx ? "OpenVINO" : "LibTorch");
  if (report.check.holds()) {
    fmt::print("written    {} ({:.1f} MB)\n", verb.out.string(),
               static_cast<double>(report.bytes) / 1e6);
  } else {
    state.exit_code = kExitCheckFailed;
  }
}

}  // namespace

void add_export(CLI::App& program, ProgramState& state) {
  const auto options = std::make_shared<ExportVerb>();
  CLI::App* verb = program.add_subcommand(
      "export", "Write a checkpoint as TorchScript or ONNX and prove the file against it");
  verb->add_option("CHECKPOINT", options->checkpoint, "checkpoint (.safetensors)")->required();
  verb->add_option("--out", options->out, "file to write")->required()->type_name("FILE");
  add_enum_option(*verb, "--format", options->options.format, "torchscript or onnx");
  add_enum_option(*verb, "--profile", options->options.profile,
                  "operators that the ONNX file may use");
  add_enum_option(*verb, "--outputs", options->options.outputs,
                  "outputs of a categorical head: levels (level, fraction), logits (logits, "
                  "fraction) or depth; cumulative: position or depth; sigmoid: depth or logits; "
                  "hilbert: coordinates. Default: the first of these");
  verb->add_option("--groups", options->options.groups,
                   "sums of neighbouring thresholds that a cumulative head returns as position; "
                   "0: 16 where the levels divide by it")
      ->check(CLI::Range(0, 256));
  verb->add_option("--shape", options->shape,
                   "of the picture; default: one picture of the checkpoint's size")
      ->type_name("Nx3xHxW");
  verb->add_flag("--dynamic", options->options.dynamic,
                 "ONNX: any batch and size (multiples of 32), as TorchScript always");
  verb->add_option("--center-with", options->options.center_with,
                   "ONNX: centre the integer head with these pictures or folders, so that an 8-bit "
                   "quantizer keeps it; profile npu asks for it")
      ->type_name("PICTURES");
  verb->add_flag("--no-centring", options->no_centring, "profile npu: leave centring out");
  verb->add_option(
          "--check-with", options->options.check_with,
          "pictures or folders on which the file is compared with the checkpoint; default: "
          "those of --center-with, or rendered ones. Name pictures that --center-with does "
          "not hold, such as night beside day, to find winners that centring would clip")
      ->type_name("PICTURES");
  verb->add_option("--threads", options->threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->footer(
      "The file is run as written (ONNX in OpenVINO, TorchScript in LibTorch) and compared with "
      "the "
      "checkpoint pixel by pixel. It appears only when they agree; otherwise the program exits "
      "with 1.\n"
      "Example: dualdepth export runs/kitti/checkpoints/best.safetensors --format onnx --out "
      "depth.onnx");
  verb->callback([options, &state] { run_export(*options, state); });
}

}  // namespace dualdepth
