#pragma once

#include <cstdint>

namespace accelhydra {

/** y = x * Phi(x), Phi the distribution function of the standard normal distribution. */
void gelu(const float* x, float* y, std::int64_t count);

/** dx = dy * (Phi(x) + x * phi(x)), phi its density. */
void geluGradient(const float* dy, const float* x, float* dx, std::int64_t count);

/** y = x * sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3): the formula of Hendrycks and Gimpel (2016), with tanh. */
void geluByTanh(const float* x, float* y, std::int64_t count);

void geluByTanhGradient(const float* dy, const float* x, float* dx, std::int64_t count);

}  // namespace accelhydra
