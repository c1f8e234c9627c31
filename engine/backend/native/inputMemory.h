// Memory of what graphs are fed with, used again.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "tensorflow/core/framework/allocator.h"

namespace accelhydra {

/**
 * Gives memory of a size again that was given back, the newest first: it still lies in the
 * processor's cache, which copying a batch is faster into.
 */
class InputMemory final : public tensorflow::Allocator {
 public:
  /** Lives as long as the process: tensors may outlive all else. */
  static InputMemory& shared();

  std::string Name() override { return "accelhydra_inputs"; }
  void* AllocateRaw(std::size_t alignment, std::size_t bytes) override;
  void DeallocateRaw(void* memory) override;

 private:
  struct Block {
    void* memory;
    std::size_t bytes;
  };

  /** Bytes that are kept at most for who asks next. */
  static constexpr std::size_t most = std::size_t{1} << 24;

  std::mutex mutex_;
  /** The newest at the end. */
  std::vector<Block> free_;
  std::size_t freeBytes_ = 0;
};

}  // namespace accelhydra
