#pragma once

#include <cstdint>

namespace accelhydra {

/** Sizes of a self-attention: every position of `length` has queries, keys and values of `heads` times `width` numbers. */
struct Attention {
  std::int64_t length;
  std::int64_t heads;
  std::int64_t width;
  /** Whether position i sees positions up to i only. */
  bool causal;
};

/**
 * One head of softmax(q k' / sqrt(width)) v of one sequence. `joined` [length, 3, heads, width]: its queries, keys and values.
 * `kept` [length, length] multiplies the weights (dropout), or is null. Writes the head's part of `output` [length, heads,
 * width] and, for the way back, the logarithm of each row's sum of exponentials [length].
 */
void attend(const Attention& attention, std::int64_t head, const float* joined, const float* kept, float* output,
            float* logSum);

/** The head's part of the gradient by `joined`, from that by `output`. The weights are computed once more. */
void attendGradient(const Attention& attention, std::int64_t head, const float* slope, const float* joined,
                    const float* kept, const float* logSum, float* joinedSlope);

}  // namespace accelhydra
