// What TensorFlow's side of every operation of this folder needs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tensorflow/core/framework/op_kernel.h"

namespace accelhydra {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

/** Runs work(begin, end) for parts of [0, total) on TensorFlow's threads. `cost`: about the cycles of one. */
template <typename Work>
void inParallel(OpKernelContext* context, std::int64_t total, std::int64_t cost, Work work) {
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(total, cost, work);
}

inline const float* data(OpKernelContext* context, int index) { return context->input(index).flat<float>().data(); }

inline float* mutableData(Tensor* tensor) { return tensor->flat<float>().data(); }

inline TensorShape vectorOf(std::int64_t length) { return TensorShape({length}); }

/** total [width]: the sums over `parts` rows of `stride` numbers, from one of their columns on. */
inline void addParts(const float* sums, std::int64_t parts, std::int64_t stride, std::int64_t from, std::int64_t width,
                     float* total) {
  std::fill(total, total + width, 0.0f);
  for (std::int64_t part = 0; part < parts; part++)
    for (std::int64_t i = 0; i < width; i++) total[i] += sums[part * stride + from + i];
}

inline bool sameShapes(OpKernelContext* context, int first, int second) {
  return context->input(first).shape() == context->input(second).shape();
}

}  // namespace accelhydra
