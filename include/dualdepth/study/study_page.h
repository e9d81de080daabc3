#pragma once

#include <string>

#include "dualdepth/study/study_result.h"

namespace dualdepth::study {

// Returns one self-contained HTML page, 1280 px wide at most. For each data set: accuracy of each
// variant in float with its intervals over seeds and over pictures, paired differences from the
// reference variant, what 8 bits do, plots of abs_rel, of abs_rel over rmse and over cost,
// precision by range of depth with what the codec promises, and cost. Then the runs that failed or
// are not done, and what each variant changes.
std::string study_page(const StudyResult& result);

}  // namespace dualdepth::study
