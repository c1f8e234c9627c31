#pragma once

#include <cstdint>

namespace accelhydra {

/** Sizes of one image that is pooled by windows of 2 x 2 that do not overlap. */
struct Image {
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
};

/**
 * y [height / 2, width / 2, channels]: the largest value of each window of x [height, width, channels], NaN where it has one.
 * `place`, as large as y: where it lies, 0 to 3 by rows; the first of several.
 */
void maxPool(const float* x, Image image, float* y, std::uint8_t* place);

/** dx [height, width, channels]: dy where the window's largest value lay, else 0. */
void maxPoolGradient(const float* dy, const std::uint8_t* place, Image image, float* dx);

}  // namespace accelhydra
