#pragma once

#include <cstdint>

namespace accelhydra {

/** Sizes of a convolution of images [height, width, channels] with a filter [filterHeight, filterWidth, channels, outputs]. */
struct Convolution {
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t filterHeight;
  std::int64_t filterWidth;
  std::int64_t outputs;
  std::int64_t strideHeight;
  std::int64_t strideWidth;
  /** Zeros before the first row and column. */
  std::int64_t top;
  std::int64_t left;
  std::int64_t outHeight;
  std::int64_t outWidth;

  /** Of an image with the zeros around it that the filter sees. */
  std::int64_t paddedHeight() const { return (outHeight - 1) * strideHeight + filterHeight; }
  std::int64_t paddedRow() const { return ((outWidth - 1) * strideWidth + filterWidth) * channels; }
  std::int64_t paddedSize() const { return paddedHeight() * paddedRow(); }
  std::int64_t places() const { return filterHeight * filterWidth * channels; }
};

/** Outputs must be a multiple of so many. */
constexpr std::int64_t outputsTogether = 8;

/** The image into the middle of `padded` [paddedHeight, paddedRow], whose border is zero. */
void padImage(const Convolution& convolution, const float* image, float* padded);

/** y [outHeight, outWidth, outputs] of one padded image. `bias` [outputs] or null. */
void convolve(const Convolution& convolution, const float* padded, const float* filter, const float* bias, float* y);

/** Adds what one padded image contributes to the filter's gradient. */
void addFilterGradient(const Convolution& convolution, const float* padded, const float* dy, float* filterSlope);

}  // namespace accelhydra
