#include "dualdepth/io/npz.h"

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/io/npy.h"
#include "dualdepth/io/zip_file.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".npy";
constexpr uint64_t kMaxHeaderBytes = 1 << 16;

std::vector<std::string> array_names(const ZipReader& zip) {
  std::vector<std::string> names;
  for (const std::string& name : zip.names()) {
    if (name.ends_with(kExtension))
      names.push_back(name.substr(0, name.size() - kExtension.size()));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::vector<std::string> npz_names(const fs::path& file) { return array_names(ZipReader(file)); }

cv::Mat read_npz(const fs::path& file, const std::string& name) {
  const ZipReader zip(file);
  const std::vector<std::string> names = array_names(zip);
  if (!std::ranges::binary_search(names, name)) {
    std::string shown;
    for (const std::string& known : names) shown += (shown.empty() ? "" : ", ") + known;
    throw Error({.subject = file.string(),
                 .expected = "an array named " + name,
                 .got = shown.empty() ? "none" : shown,
                 .fix = ""});
  }
  return decode_npy(zip.read(name + std::string(kExtension), kMaxNpzArrayBytes + kMaxHeaderBytes),
                    file.string() + ": " + name);
}

void write_npz(const fs::path& file, const std::vector<NpzArray>& arrays) {
  ZipWriter zip(file);
  for (const NpzArray& array : arrays) {
    zip.add(array.name + std::string(kExtension), encode_npy(array.array, /*leading_ones=*/2));
  }
  zip.commit();
}

}  // namespace dualdepth
