#pragma once

#include <cstdint>

namespace accelhydra {

/** Normalises rows [rows, width]: y = (x - mean) * deviation * scale + offset, deviation = 1 / sqrt(variance + epsilon). */
void layerNorm(const float* x, const float* scale, const float* offset, float epsilon, std::int64_t rows,
               std::int64_t width, float* y, float* mean, float* deviation);

/** dx of rows, and what they add to the gradients of scale and offset [width], which are set and not added to. */
void layerNormGradient(const float* dy, const float* x, const float* scale, const float* mean, const float* deviation,
                       std::int64_t rows, std::int64_t width, float* dx, float* scaleSum, float* offsetSum);

}  // namespace accelhydra
