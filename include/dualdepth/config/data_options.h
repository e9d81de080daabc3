#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/field.h"

namespace dualdepth {

enum class DatasetKind { kKitti, kNcdb };
template <>
struct EnumNames<DatasetKind> {
  static constexpr std::array values{std::pair{DatasetKind::kKitti, "kitti"},
                                     std::pair{DatasetKind::kNcdb, "ncdb"}};
};

enum class GroundTruthKind { kAnnotated, kVelodyne };
template <>
struct EnumNames<GroundTruthKind> {
  static constexpr std::array values{std::pair{GroundTruthKind::kAnnotated, "annotated"},
                                     std::pair{GroundTruthKind::kVelodyne, "velodyne"}};
};

// How velodyne points are projected; dualdepth/data/velodyne_depth.h has both formulas.
enum class ProjectionKind { kOfficial, kEigen };
template <>
struct EnumNames<ProjectionKind> {
  static constexpr std::array values{std::pair{ProjectionKind::kOfficial, "official"},
                                     std::pair{ProjectionKind::kEigen, "eigen"}};
};

// Which of NCDB's depth maps; dualdepth/data/ncdb_dataset.h says what each holds.
enum class DepthType { kDepth, kDepthOriginal, kDistance, kDistanceOriginal };
template <>
struct EnumNames<DepthType> {
  static constexpr std::array values{std::pair{DepthType::kDepth, "depth"},
                                     std::pair{DepthType::kDepthOriginal, "depth_original"},
                                     std::pair{DepthType::kDistance, "distance"},
                                     std::pair{DepthType::kDistanceOriginal, "distance_original"}};
};

enum class MissingPolicy { kError, kSkip };
template <>
struct EnumNames<MissingPolicy> {
  static constexpr std::array values{std::pair{MissingPolicy::kError, "error"},
                                     std::pair{MissingPolicy::kSkip, "skip"}};
};

enum class CacheKind { kNone, kMemory, kDisk };
template <>
struct EnumNames<CacheKind> {
  static constexpr std::array values{std::pair{CacheKind::kNone, "none"},
                                     std::pair{CacheKind::kMemory, "memory"},
                                     std::pair{CacheKind::kDisk, "disk"}};
};

// Each transform happens with its own probability; 0 switches it off.
struct AugmentationOptions {
  double flip = 0.5;
  double jitter = 0.5;
  double brightness = 0.2;
  double contrast = 0.2;
  double saturation = 0.2;
  double hue = 0.05;
  double crop_zoom = 0;
  double max_zoom = 1.3;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("flip", flip,
            {.help = "probability of a horizontal flip; 0 where the rig forbids it",
             .min = 0,
             .max = 1});
    v.field("jitter", jitter, {.help = "probability of colour jitter", .min = 0, .max = 1});
    v.field("brightness", brightness,
            {.help = "brightness factor lies in 1 +- this", .min = 0, .max = 1});
    v.field("contrast", contrast,
            {.help = "contrast factor lies in 1 +- this", .min = 0, .max = 1});
    v.field("saturation", saturation,
            {.help = "saturation factor lies in 1 +- this", .min = 0, .max = 1});
    v.field("hue", hue,
            {.help = "hue turns by up to this share of the circle", .min = 0, .max = 0.5});
    v.field("crop_zoom", crop_zoom,
            {.help = "probability of a random crop enlarged to the full size; depth is divided by "
                     "the zoom, as if the focal length had grown",
             .min = 0,
             .max = 1});
    v.field("max_zoom", max_zoom, {.help = "largest enlargement of crop_zoom", .min = 1, .max = 4});
  }
};

struct DataOptions {
  DatasetKind dataset = DatasetKind::kKitti;
  std::string root;
  std::string depth_root;
  std::string train_split;
  std::string val_split;
  GroundTruthKind ground_truth = GroundTruthKind::kAnnotated;
  ProjectionKind projection = ProjectionKind::kOfficial;
  DepthType depth_type = DepthType::kDepthOriginal;
  std::string depth_folder;
  bool use_mask = false;
  MissingPolicy missing = MissingPolicy::kError;
  std::vector<int64_t> image_shape = {192, 640};  // px, height and width
  bool kb_crop = false;
  int64_t max_truth_pixels = 0;
  int64_t batch_size = 4;
  int64_t workers = 2;
  int64_t prefetch = 4;  // batches
  CacheKind cache = CacheKind::kNone;
  std::string cache_dir;
  AugmentationOptions augmentation;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("dataset", dataset, {.help = "layout on disk"});
    v.field("root", root,
            {.help = "folder with the drives or sequences; relative to the working directory"});
    v.field("depth_root", depth_root,
            {.help = "folder with annotated depth (holding train and val, or drives); empty: "
                     "searched in and beside root; kitti only"});
    v.field("train_split", train_split,
            {.help = "file that lists the training samples: text (kitti), JSON (ncdb)"});
    v.field("val_split", val_split, {.help = "file that lists the validation samples"});
    v.field("ground_truth", ground_truth, {.help = "where depth comes from; kitti only"});
    v.field("projection", projection, {.help = "how velodyne points become pixels; kitti only"});
    v.field("depth_type", depth_type, {.help = "which depth maps; ncdb only"});
    v.field("depth_folder", depth_folder,
            {.help = "folder beside the pictures' that holds depth, in place of depth_type's; ncdb "
                     "only"});
    v.field("use_mask", use_mask,
            {.help = "leaves out pixels where binary_mask.png is 0; ncdb only"});
    v.field("missing", missing, {.help = "what a listed sample without its file is"});
    v.field("image_shape", image_shape,
            {.help = "height and width that the network sees, multiples of 32",
             .unit = "px",
             .min = 32,
             .max = 8192,
             .length = 2});
    v.field("kb_crop", kb_crop, {.help = "train on the 352x1216 benchmark crop"});
    v.field("max_truth_pixels", max_truth_pixels,
            {.help = "ground-truth pixels of a picture that train in one epoch, drawn anew each "
                     "time; 0: all of them",
             .unit = "px",
             .min = 0});
    v.field("batch_size", batch_size, {.help = "pictures in a batch", .min = 1, .max = 4096});
    v.field("workers", workers,
            {.help = "loader threads; 0: load in the training thread", .min = 0, .max = 256});
    v.field("prefetch", prefetch, {.help = "batches kept ready", .min = 1, .max = 256});
    v.field("cache", cache, {.help = "keeps resized pictures and depth"});
    v.field("cache_dir", cache_dir,
            {.help = "folder of the disk cache; empty: below the user's cache folder"});
    v.group("augmentation", augmentation);
  }

  // What does not fit together: a shape that is no multiple of 32.
  std::vector<ErrorParts> problems() const;

  // Throws ConfigError with all problems.
  void check() const;
};

}  // namespace dualdepth
