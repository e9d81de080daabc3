#pragma once

#include <filesystem>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/graph/pictures.h"

namespace dualdepth {

// Pictures exactly as a network's input takes them, stored by another tool: an array of the
// contract's type and layout, float32 [N, 3, H, W] for most networks,
//
//   .npy  the array; it may be larger than the memory
//   .npz  with one array of any name, or one named like the input ("image"); of at most
//         kMaxNpzArrayBytes (io/npz.h) unpacked
//
// Throws Error naming the file for another type, shape or size, no picture, a file that is cut or
// damaged, and an array that unpacks to more than is allowed. at() throws Error for a picture that
// holds NaN or infinity. Logs a warning when values lie outside of what black and white become by
// the contract, as those of 0..255 do where 0..1 is asked for.
//
// input: with its size.
graph::Pictures open_raw_inputs(const std::filesystem::path& file, const InputContract& input);

// The pictures that a text file lists: a path a line, relative to the file; empty lines and those
// that begin with # are skipped, and a file that is listed again counts once. Throws Error naming
// the line of a picture that does not exist, and for a list without pictures.
std::vector<std::filesystem::path> read_picture_list(const std::filesystem::path& file);

}  // namespace dualdepth
