#pragma once

#include <string>
#include <vector>

#include "dualdepth/study/study_result.h"

// The tables of the page, HTML each. `rows` are the variants of one data set that have a result, in
// the order of the study.
namespace dualdepth::study {

using Rows = std::vector<const VariantSummary*>;

// Rows are numbered as in the plots.
std::string accuracy_table(const Rows& rows);
std::string difference_table(const Rows& rows, const std::string& reference);
std::string eight_bit_table(const Rows& rows, const JudgeOptions& judge);
std::string range_table(const Rows& rows, const JudgeOptions& judge);
std::string cost_table(const Rows& rows, const JudgeOptions& judge);

}  // namespace dualdepth::study
