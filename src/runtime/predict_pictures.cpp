#include "dualdepth/runtime/predict_pictures.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/npy.h"
#include "dualdepth/io/ply.h"
#include "dualdepth/runtime/evaluation.h"
#include "dualdepth/runtime/read_ahead.h"
#include "dualdepth/runtime/write_behind.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPicturesAhead = 4;
constexpr int kWriters = 2;
constexpr size_t kResultsWaiting = 4;

bool is_picture(const fs::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

bool is_below(const fs::path& file, const fs::path& folder) {
  const auto relative = file.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

std::vector<PictureFile> pictures_below(const fs::path& folder, const fs::path& out) {
  const fs::path results = fs::weakly_canonical(out);
  std::vector<PictureFile> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink)) {
    if (!entry.is_regular_file() || !is_picture(entry.path())) continue;
    if (is_below(fs::weakly_canonical(entry.path()), results)) continue;
    const auto relative = entry.path().lexically_relative(folder);
    found.push_back({entry.path(), out / fs::path(relative).replace_extension()});
  }
  std::ranges::sort(found, {}, &PictureFile::picture);
  return found;
}

void refuse_shared_outputs(const std::vector<PictureFile>& files) {
  std::map<fs::path, fs::path> pictures;
  for (const auto& file : files) {
    const auto [other, is_new] = pictures.emplace(file.output, file.picture);
    if (is_new) continue;
    throw Error({.subject = file.picture.string(),
                 .expected = "results of its own",
                 .got = "the name of those of " + other->second.string(),
                 .fix = "predict them into different folders"});
  }
}

PixelToPoint points_of(const PredictionFiles& wanted, cv::Size size) {
  if (const auto* fisheye = std::get_if<VadasCamera>(&wanted.camera)) {
    return vadas_points(*fisheye, size);
  }
  return pinhole_points(std::get<Intrinsics>(wanted.camera));
}

void write_results(const PictureFile& file, const cv::Mat& rgb, const cv::Mat& depth,
                   const PredictionFiles& wanted, const CodecOptions& codec) {
  const auto with = [&](const char* ending) { return fs::path(file.output).concat(ending); };
  if (wanted.npy) write_npy(with(".npy"), depth);
  if (wanted.png16) write_depth_png(with("_depth.png"), depth);
  if (wanted.color) {
    write_rgb(with("_color.png"), colorize_depth(depth, codec.max_depth));
  }
  if (wanted.ply) write_point_cloud(with(".ply"), depth, rgb, points_of(wanted, rgb.size()));
}

std::vector<PictureFile> files_of(std::span<const fs::path> inputs, const fs::path& out) {
  std::vector<PictureFile> files;
  for (const auto& input : inputs) {
    if (fs::is_directory(input)) {
      const auto found = pictures_below(input, out);
      if (found.empty()) {
        throw Error({.subject = input.string(),
                     .expected = "pictures (.png, .jpg, .jpeg) in or below this folder",
                     .got = "none",
                     .fix = ""});
      }
      files.insert(files.end(), found.begin(), found.end());
    } else if (fs::is_regular_file(input)) {
      files.push_back({input, out / input.stem()});
    } else {
      throw Error({.subject = input.string(),
                   .expected = "a picture or a folder of pictures",
                   .got = "no such file",
                   .fix = ""});
    }
  }
  return files;
}

}  // namespace

std::vector<fs::path> list_pictures(std::span<const fs::path> inputs) {
  std::vector<fs::path> pictures;
  for (const auto& file : files_of(inputs, /*out=*/{})) pictures.push_back(file.picture);
  return pictures;
}

std::vector<PictureFile> find_pictures(std::span<const fs::path> inputs, const fs::path& out) {
  auto files = files_of(inputs, out);
  refuse_shared_outputs(files);
  return files;
}

void predict_pictures(Predictor& predictor, std::span<const PictureFile> files,
                      const PredictionFiles& wanted, const std::function<void(size_t)>& progress) {
  if (wanted.ply && std::holds_alternative<std::monostate>(wanted.camera)) {
    throw Error({.subject = "point clouds (ply)",
                 .expected = "the camera",
                 .got = "none",
                 .fix = "give --intrinsics fx,fy,cx,cy, --calib FILE or --vadas FILE"});
  }
  const EvaluationOptions options{.flip = wanted.flip};
  const CodecOptions& codec = predictor.contract().codec;
  ReadAhead<cv::Mat> pictures(files.size(), std::max(kPicturesAhead, wanted.batch),
                              [&](size_t i) { return read_rgb(files[i].picture); });
  WriteBehind writer(kWriters, kResultsWaiting);
  for (size_t first = 0; first < files.size(); first += wanted.batch) {
    std::vector<cv::Mat> together(std::min(wanted.batch, files.size() - first));
    std::ranges::generate(together, [&] { return pictures.next(); });
    const std::vector<cv::Mat> depths = predict_depths(predictor, together, options);
    for (size_t k = 0; k < together.size(); ++k) {
      const size_t i = first + k;
      make_writable_folder(files[i].output.parent_path());
      writer.submit([&, i, rgb = together[k], depth = depths[k]] {
        write_results(files[i], rgb, depth, wanted, codec);
      });
      if (progress) progress(i + 1);
    }
  }
  writer.finish();
}

}  // namespace dualdepth
