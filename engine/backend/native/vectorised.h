// What the loops of this folder share: how a compiler is to make them fast on the processor that runs them, and an
// exponential that it can vectorise.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

// One build serves every processor: the library picks the widest form that this one has when it is loaded.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define ACCELHYDRA_FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ACCELHYDRA_FOR_EACH_PROCESSOR
#endif

#define ACCELHYDRA_INLINE static inline __attribute__((always_inline))

namespace accelhydra {

/** Numbers that are worked on together, where compilers do not make vectors of a loop by themselves. */
constexpr std::int64_t together = 8;
typedef float Floats __attribute__((vector_size(together * sizeof(float))));

template <typename Vector, typename Element>
ACCELHYDRA_INLINE Vector load(const Element* from) {
  Vector result;
  std::memcpy(&result, from, sizeof result);
  return result;
}

template <typename Vector, typename Element>
ACCELHYDRA_INLINE void store(Element* to, Vector values) {
  std::memcpy(to, &values, sizeof values);
}

/** e^x for x <= 0 within 2 units in the last place, e^-87 below -87. After Cephes' expf (Moshier, 1992). */
ACCELHYDRA_INLINE float expOfNegative(float x) {
  const float clamped = x < -87.0f ? -87.0f : x;
  // adding 1.5 * 2^23 rounds to a whole number, which then lies in the low bits
  const float shifted = clamped * 1.44269504088896341f + 12582912.0f;
  const float whole = shifted - 12582912.0f;
  const float rest = clamped - whole * 0.693359375f - whole * -2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * rest + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  sum = sum * rest * rest + rest + 1.0f;
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127u) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return sum * power;
}

}  // namespace accelhydra
