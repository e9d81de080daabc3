#pragma once

#include <filesystem>
#include <optional>

#include "dualdepth/config/contract.h"
#include "dualdepth/onnx/onnx_file.h"

namespace dualdepth {

// Returns the contract under which an ONNX file runs: `given`, else the file's own. The input's
// name and size are filled in from the file where the contract leaves them out.
//
// Throws Error naming the file when it has no contract (the message lists its inputs and outputs
// and shows a contract to start from), when it does not have exactly one input, or when the
// contract does not fit the file: an input or output that the file lacks, another element type or
// size, a size that neither of them has.
Contract contract_of(const OnnxFile& file, const std::optional<Contract>& given = {});

// True when the file itself has a contract: a checkpoint, or an exported file with its metadata.
bool carries_contract(const std::filesystem::path& model);

}  // namespace dualdepth
