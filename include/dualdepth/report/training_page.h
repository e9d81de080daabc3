#pragma once

#include <filesystem>
#include <string>

namespace dualdepth {

// One self-contained HTML page of a training run, made from what the run wrote into its folder:
// curves of loss and its parts, learning rate, gradient norm, speed and waiting for data, the
// validation's metrics (all of metrics.jsonl, so that a resumed run shows its whole history),
// pictures of the validation over time (panels/step-N.jpg: the first, the last and up to four
// between), and config.yaml as it stands. Throws Error when the folder has no metrics.jsonl.
std::string training_page(const std::filesystem::path& run_folder);

}  // namespace dualdepth
