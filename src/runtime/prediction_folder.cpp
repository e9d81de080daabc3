#include "dualdepth/runtime/prediction_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "dualdepth/base/error.h"
#include "dualdepth/io/npy.h"
#include "dualdepth/io/npz.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

std::string last_part(const std::string& id) { return id.substr(id.rfind('/') + 1); }

bool is_array_file(const fs::path& file) {
  return file.extension() == ".npy" || file.extension() == ".npz";
}

// The array files of a folder by the last part of their names.
class FileIndex {
 public:
  explicit FileIndex(const fs::path& folder) : folder_(folder) {
    if (!fs::is_directory(folder)) {
      throw Error({.subject = folder.string(),
                   .expected = "a folder of predictions (.npy, .npz)",
                   .got = fs::exists(folder) ? "a file" : "nothing there",
                   .fix = ""});
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file() || !is_array_file(entry.path())) continue;
      by_stem_[entry.path().stem().string()].push_back(entry.path().lexically_relative(folder));
    }
  }

  // The file of a sample, by the rules of the header. `shared`: other samples have the same stem.
  fs::path find(const std::string& id, bool shared) const {
    const auto found = by_stem_.find(last_part(id));
    if (found == by_stem_.end()) fail(id, "none");
    const std::vector<fs::path>& files = found->second;
    for (const char* extension : {".npy", ".npz"}) {
      if (std::ranges::find(files, fs::path(id + extension)) != files.end()) {
        return folder_ / (id + extension);
      }
    }
    const std::string folder = id.substr(0, id.size() - last_part(id).size());
    std::vector<fs::path> near;
    std::ranges::copy_if(files, std::back_inserter(near), [&](const fs::path& file) {
      return !folder.empty() && file.generic_string().starts_with(folder);
    });
    if (near.size() == 1) return folder_ / near.front();
    if (near.size() > 1) fail(id, list_text(near));
    if (files.size() > 1) fail(id, list_text(files));
    if (shared) {
      fail(id, files.front().string() + ", whose name several samples of the data set share");
    }
    return folder_ / files.front();
  }

 private:
  static std::string list_text(const std::vector<fs::path>& files) {
    return files[0].string() + " and " + files[1].string() +
           (files.size() > 2 ? fmt::format(" and {} more", files.size() - 2) : "");
  }

  [[noreturn]] void fail(const std::string& id, const std::string& got) const {
    throw Error({.subject = folder_.string(),
                 .expected = "one prediction for " + id,
                 .got = got,
                 .fix = "name it " + id + ".npy or .npz"});
  }

  fs::path folder_;
  std::unordered_map<std::string, std::vector<fs::path>> by_stem_;
};

}  // namespace

PredictionFolder::PredictionFolder(const fs::path& folder, const Dataset& dataset,
                                   std::optional<double> max_depth)
    : max_depth_(max_depth) {
  const FileIndex index(folder);
  std::unordered_map<std::string, int> sharing;
  for (size_t i = 0; i < dataset.size(); ++i) ++sharing[last_part(dataset.id(i))];
  for (size_t i = 0; i < dataset.size(); ++i) {
    const std::string& id = dataset.id(i);
    files_.push_back(index.find(id, sharing.at(last_part(id)) > 1));
  }
}

cv::Mat PredictionFolder::depth(size_t index) const {
  const fs::path& file = files_[index];
  return file.extension() == ".npz" ? depth_of_npz(file) : read_npy(file);
}

cv::Mat PredictionFolder::depth_of_npz(const fs::path& file) const {
  const std::vector<std::string> names = npz_names(file);
  const auto has = [&](const char* name) { return std::ranges::binary_search(names, name); };
  if (has("depth")) return read_npz(file, "depth");
  if (!has("integer_sigmoid") || !has("fractional_sigmoid")) {
    throw Error({.subject = file.string(),
                 .expected = "the array depth, or integer_sigmoid and fractional_sigmoid",
                 .got = fmt::format("{}", fmt::join(names, ", ")),
                 .fix = ""});
  }
  if (!max_depth_) {
    throw Error({.subject = file.string(),
                 .expected = "the depth that 1 in integer_sigmoid stands for",
                 .got = "none",
                 .fix = "give --max-depth METRES"});
  }
  const cv::Mat integer = read_npz(file, "integer_sigmoid");
  const cv::Mat fraction = read_npz(file, "fractional_sigmoid");
  if (integer.size() != fraction.size()) {
    throw Error({.subject = file.string(),
                 .expected = fmt::format("a fractional_sigmoid of {}x{} as integer_sigmoid",
                                         integer.rows, integer.cols),
                 .got = fmt::format("{}x{}", fraction.rows, fraction.cols),
                 .fix = ""});
  }
  return integer * *max_depth_ + fraction;
}

}  // namespace dualdepth
