#pragma once

#include "gelu.h"
#include "kernel.h"

namespace accelhydra {

/** What both ways of GELU have in common. */
class GeluKernel : public OpKernel {
 public:
  explicit GeluKernel(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("by_tanh", &byTanh_));
  }

 protected:
  bool byTanh_;
};

class Gelu : public GeluKernel {
 public:
  using GeluKernel::GeluKernel;

  void Compute(OpKernelContext* context) override {
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, context->input(0).shape(), &y));
    const float* from = data(context, 0);
    float* to = mutableData(y);
    const auto function = byTanh_ ? geluByTanh : gelu;
    inParallel(context, y->NumElements(), 8,
               [=](std::int64_t begin, std::int64_t end) { function(from + begin, to + begin, end - begin); });
  }
};

class GeluGrad : public GeluKernel {
 public:
  using GeluKernel::GeluKernel;

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES(context, sameShapes(context, 0, 1), absl::InvalidArgumentError("dy and x must have one shape"));
    Tensor* result = nullptr;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, context->input(0).shape(), &result));
    const float* dy = data(context, 0);
    const float* x = data(context, 1);
    float* dx = mutableData(result);
    const auto function = byTanh_ ? geluByTanhGradient : geluGradient;
    inParallel(context, result->NumElements(), 10, [=](std::int64_t begin, std::int64_t end) {
      function(dy + begin, x + begin, dx + begin, end - begin);
    });
  }
};

}  // namespace accelhydra
