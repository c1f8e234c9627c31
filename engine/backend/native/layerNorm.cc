#include "layerNorm.h"

#include "vectorised.h"

namespace accelhydra {

ACCELHYDRA_FOR_EACH_PROCESSOR
void layerNorm(const float* __restrict x, const float* __restrict scale, const float* __restrict offset, float epsilon,
               std::int64_t rows, std::int64_t width, float* __restrict y, float* __restrict mean,
               float* __restrict deviation) {
  for (std::int64_t row = 0; row < rows; row++, x += width, y += width) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < width; i++) sum += x[i];
    const float centre = sum / width;
    // around the mean, not as a difference of squares, which loses all digits where the mean is large
    float squares = 0.0f;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < width; i++) squares += (x[i] - centre) * (x[i] - centre);
    const float inverse = 1.0f / std::sqrt(squares / width + epsilon);
    for (std::int64_t i = 0; i < width; i++) y[i] = (x[i] - centre) * inverse * scale[i] + offset[i];
    mean[row] = centre;
    deviation[row] = inverse;
  }
}

// with n the normalised row and g = dy * scale: dx = (g - mean(g) - n * mean(g * n)) * deviation
ACCELHYDRA_FOR_EACH_PROCESSOR
void layerNormGradient(const float* __restrict dy, const float* __restrict x, const float* __restrict scale,
                       const float* __restrict mean, const float* __restrict deviation, std::int64_t rows,
                       std::int64_t width, float* __restrict dx, float* __restrict scaleSum,
                       float* __restrict offsetSum) {
  std::memset(scaleSum, 0, width * sizeof(float));
  std::memset(offsetSum, 0, width * sizeof(float));
  for (std::int64_t row = 0; row < rows; row++, x += width, dy += width, dx += width) {
    const float centre = mean[row];
    const float inverse = deviation[row];
    float slopes = 0.0f;
    float shared = 0.0f;
#pragma omp simd reduction(+ : slopes, shared)
    for (std::int64_t i = 0; i < width; i++) {
      const float normalised = (x[i] - centre) * inverse;
      slopes += dy[i] * scale[i];
      shared += dy[i] * scale[i] * normalised;
    }
    slopes /= width;
    shared /= width;
    for (std::int64_t i = 0; i < width; i++) {
      const float normalised = (x[i] - centre) * inverse;
      dx[i] = (dy[i] * scale[i] - slopes - normalised * shared) * inverse;
      scaleSum[i] += dy[i] * normalised;
      offsetSum[i] += dy[i];
    }
  }
}

}  // namespace accelhydra
