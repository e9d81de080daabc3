#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <optional>
#include <span>

namespace dualdepth {

// A fast decoder for the one kind of PNG that depth comes in: 16-bit grey, not interlaced. isa-l
// inflates it in less than half of zlib's time, which is most of what reading depth costs.
//
// Returns CV_16UC1, or nothing when the bytes are of another kind or not right in every respect
// (checksums, lengths, end mark): then a general decoder has to find out what they are.
std::optional<cv::Mat> decode_grey16_png(std::span<const std::byte> bytes, int max_side);

}  // namespace dualdepth
