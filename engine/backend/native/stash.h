// Tensors on their way between the binding's handles, which nobody else can look up, and sessions of our own.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "tensorflow/core/framework/tensor.h"

namespace accelhydra {

/** Tensors by number, their memory shared. */
class Stash {
 public:
  /** The one that all of the process shares. Never destroyed: TensorFlow's allocators may be gone before it at the end. */
  static Stash& shared() {
    static auto* stash = new Stash();
    return *stash;
  }

  /** Gives the number to take it by. */
  std::int32_t keep(const tensorflow::Tensor& tensor) {
    std::lock_guard<std::mutex> lock(mutex_);
    // numbers come round after two thousand million, when those of then are long gone
    newest_ = newest_ == INT32_MAX ? 1 : newest_ + 1;
    kept_.insert_or_assign(newest_, tensor);
    return newest_;
  }

  /** What was kept under a number, which is free again; false where there is nothing. */
  bool take(std::int32_t key, tensorflow::Tensor* tensor) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = kept_.find(key);
    if (found == kept_.end()) return false;
    *tensor = std::move(found->second);
    kept_.erase(found);
    return true;
  }

 private:
  std::mutex mutex_;
  std::int32_t newest_ = 0;
  std::unordered_map<std::int32_t, tensorflow::Tensor> kept_;
};

}  // namespace accelhydra
