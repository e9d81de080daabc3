#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace dualdepth {

// NumPy's .npz: a zip file of .npy arrays, packed (numpy.savez_compressed) or not (numpy.savez).
// Files are hostile: an array's size is read from the zip's directory and held against
// kMaxNpzArrayBytes before memory is taken.
inline constexpr uint64_t kMaxNpzArrayBytes = uint64_t{1} << 30;

// The names of the arrays in the file, sorted. Throws Error for a file that is absent or no zip.
std::vector<std::string> npz_names(const std::filesystem::path& file);

// One array as read_npy gives it. Throws Error that lists the names which are there.
cv::Mat read_npz(const std::filesystem::path& file, const std::string& name);

// An array to write: CV_32FC1 or CV_16UC1.
struct NpzArray {
  std::string name;
  cv::Mat array;
};

// Writes the arrays [1, 1, H, W], packed. The file appears whole or not at all.
void write_npz(const std::filesystem::path& file, const std::vector<NpzArray>& arrays);

}  // namespace dualdepth
