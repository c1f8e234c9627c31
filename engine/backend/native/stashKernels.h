// How tensors of the binding's get into the stash and out of it.
#pragma once

#include "kernel.h"
#include "stash.h"

namespace accelhydra {

/** value T → key int32. */
class StashTensor : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    Tensor* key = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({}), &key));
    key->scalar<std::int32_t>()() = Stash::shared().keep(context->input(0));
  }
};

/** key int32 → value T, which is taken. */
class UnstashTensor : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    Tensor value;
    const std::int32_t key = context->input(0).scalar<std::int32_t>()();
    const bool isFound = Stash::shared().take(key, &value);
    OP_REQUIRES(context, isFound, absl::NotFoundError("nothing is kept under this number"));
    OP_REQUIRES(context, value.dtype() == output_type(0), absl::InvalidArgumentError("what is kept is of another type"));
    context->set_output(0, value);
  }
};

}  // namespace accelhydra
