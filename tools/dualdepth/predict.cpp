#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/io/zip_file.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/predict_pictures.h"
#include "runtime_option.h"
#include "verbs.h"

namespace dualdepth {
namespace {

struct PredictOptions {
  std::filesystem::path model;
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path out;
  std::vector<std::string> formats;  // empty: all that are possible
  std::vector<double> intrinsics;    // fx, fy, cx, cy
  std::filesystem::path calibration;
  std::filesystem::path vadas;
  std::filesystem::path submission;  // empty: none
  int camera = 2;
  bool flip = false;
  RuntimeOptions runtime;
  size_t batch = 1;
};

decltype(PredictionFiles::camera) camera_of(const PredictOptions& options) {
  if (!options.calibration.empty()) {
    return read_kitti_intrinsics(options.calibration, options.camera);
  }
  if (!options.vadas.empty()) return read_vadas_camera(options.vadas);
  if (options.intrinsics.empty()) return {};
  const auto& values = options.intrinsics;
  if (!(values[0] > 0 && values[1] > 0)) {
    throw Error({.subject = "--intrinsics",
                 .expected = "fx and fy above 0",
                 .got = fmt::format("{},{}", values[0], values[1]),
                 .fix = ""});
  }
  return Intrinsics{values[0], values[1], values[2], values[3]};
}

// The pictures of KITTI's depth prediction benchmark are named by ten digits, and so must their
// answers be.
void check_submission(std::span<const PictureFile> files) {
  std::set<std::string> names;
  for (const PictureFile& file : files) {
    const std::string name = file.picture.stem().string();
    const bool digits = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    if (name.size() == 10 && digits && names.insert(name).second) continue;
    throw Error({.subject = file.picture.string(),
                 .expected = "a picture of its own name of ten digits, for --submission",
                 .got = name,
                 .fix = "give the benchmark's folder of pictures as INPUT"});
  }
}

// 16-bit PNGs in the root of a zip, as KITTI's server takes them.
void write_submission(const std::filesystem::path& zip_file, std::span<const PictureFile> files) {
  constexpr size_t kBenchmarkPictures = 500;
  if (files.size() != kBenchmarkPictures) {
    spdlog::warn("{}: KITTI's server expects {} pictures, these are {}", zip_file.string(),
                 kBenchmarkPictures, files.size());
  }
  ZipWriter zip(zip_file);
  for (const PictureFile& file : files) {
    zip.add_file(file.picture.stem().string() + ".png",
                 std::filesystem::path(file.output).concat("_depth.png"));
  }
  zip.commit();
}

PredictionFiles wanted_files(const PredictOptions& options) {
  PredictionFiles wanted{
      .batch = options.batch, .flip = options.flip, .camera = camera_of(options)};
  wanted.ply = !std::holds_alternative<std::monostate>(wanted.camera);
  if (options.formats.empty()) return wanted;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(options.formats, name) != options.formats.end();
  };
  wanted.npy = has("npy");
  wanted.png16 = has("png16");
  wanted.color = has("color");
  wanted.ply = has("ply");
  return wanted;
}

void run_predict(const PredictOptions& options) {
  auto wanted = wanted_files(options);
  const auto files = find_pictures(options.inputs, options.out);
  if (!options.submission.empty()) {
    check_submission(files);
    wanted.png16 = true;
  }
  set_compute_threads(options.runtime.threads);
  const auto model = open_predictor(options.model, options.runtime);
  make_writable_folder(options.out);
  {
    ProgressLine progress("predict", files.size());
    predict_pictures(*model.predictor, files, wanted, [&](size_t done) { progress.update(done); });
  }
  if (!options.submission.empty()) write_submission(options.submission, files);
  spdlog::info("{} pictures predicted to {}", files.size(), options.out.string());
}

}  // namespace

void add_predict(CLI::App& program, ProgramState&) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App* verb = program.add_subcommand(
      "predict", "Write the depth of pictures, at each picture's own size in metres");
  verb->add_option("MODEL", options->model,
                   "checkpoint (.safetensors), TorchScript (.ts) or ONNX (.onnx)")
      ->required();
  verb->add_option("INPUT", options->inputs, "pictures, or folders of pictures (.png, .jpg)")
      ->required();
  verb->add_option("--out", options->out,
                   "folder of the results: <path below INPUT, no extension>.npy and so on")
      ->required()
      ->type_name("DIR");
  verb->add_option(
          "--format", options->formats,
          "npy (float32 metres), png16 (_depth.png, metres * 256), color (_color.png), ply "
          "(points); default: all, ply when the camera is given")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->expected(1, 4)
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"npy", "png16", "color", "ply"}));
  auto* intrinsics = verb->add_option("--intrinsics", options->intrinsics,
                                      "focal lengths and centre of the pictures, px")
                         ->delimiter(',')
                         ->expected(4)
                         ->type_name("fx,fy,cx,cy");
  auto* calibration = verb->add_option("--calib", options->calibration,
                                       "KITTI's calib_cam_to_cam.txt instead of --intrinsics")
                          ->type_name("FILE")
                          ->excludes(intrinsics);
  verb->add_option("--vadas", options->vadas,
                   "parameters of a fisheye camera instead of --intrinsics: k_0 to k_6, s, div, "
                   "u_x, u_y for 1920x1536 pixels")
      ->type_name("FILE")
      ->excludes(intrinsics)
      ->excludes(calibration);
  verb->add_option("--camera", options->camera, "colour camera of --calib: 2 left, 3 right")
      ->check(CLI::IsMember({2, 3}))
      ->needs(calibration)
      ->capture_default_str();
  verb->add_option("--submission", options->submission,
                   "also pack the 16-bit PNGs as KITTI's depth prediction server takes them")
      ->type_name("ZIP");
  verb->add_flag("--flip", options->flip, "average with the prediction of the mirrored picture");
  add_runtime_options(*verb, options->runtime);
  add_batch_option(*verb, options->batch);
  verb->footer(
      "Example: dualdepth predict runs/kitti/checkpoints/best.safetensors pictures/ --out depth/ "
      "\\\n"
      "           --intrinsics 721.5,721.5,609.6,172.9");
  verb->callback([options] { run_predict(*options); });
}

}  // namespace dualdepth
