#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace dualdepth {

// One entry of an NCDB split.
struct NcdbSplitEntry {
  size_t index = 0;               // in the list, from 0
  std::filesystem::path picture;  // relative to data.root; empty: it is named by the two below
  std::string sequence;           // the entry's dataset_root, relative to data.root
  std::string stem;               // name of picture and depth without extension

  // Unique in the data set, since stems repeat across sequences: "sequence/stem".
  std::string id() const { return sequence.empty() ? stem : sequence + "/" + stem; }
};

// Reads a split: a JSON list whose entries are
//
//   {"dataset_root": "2023_01_17/parking", "new_filename": "0000012"}
//   {"image_path": "2023_01_17/parking/synced_data/image_a6/0000012.jpg"}
//
// in any mixture; further keys are ignored. Of an image_path the sequence is what stands before the
// picture's folder, without the level `synced_data`.
//
// Throws Error naming the file, and the entry by its index, for a file that is not JSON or no list,
// an entry with neither key or with a value that is not text, an empty list, and a path that is
// absolute or leaves data.root by `..`.
std::vector<NcdbSplitEntry> read_ncdb_split(const std::filesystem::path& file);

}  // namespace dualdepth
