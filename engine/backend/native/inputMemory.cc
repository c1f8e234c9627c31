#include "inputMemory.h"

#include <algorithm>
#include <iterator>

namespace accelhydra {

namespace {

/** What lies before the memory: its size. As long as the strictest alignment. */
constexpr std::size_t header = tensorflow::Allocator::kAllocatorAlignment;

void* startOf(void* memory) { return static_cast<char*>(memory) - header; }

std::size_t& bytesOf(void* memory) { return *static_cast<std::size_t*>(startOf(memory)); }

void release(void* memory) { tensorflow::cpu_allocator()->DeallocateRaw(startOf(memory)); }

}  // namespace

InputMemory& InputMemory::shared() {
  static auto* memory = new InputMemory();
  return *memory;
}

void* InputMemory::AllocateRaw(std::size_t alignment, std::size_t bytes) {
  if (alignment > header) return nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found =
        std::find_if(free_.rbegin(), free_.rend(), [bytes](const Block& block) { return block.bytes == bytes; });
    if (found != free_.rend()) {
      void* memory = found->memory;
      free_.erase(std::next(found).base());
      freeBytes_ -= bytes;
      return memory;
    }
  }
  void* start = tensorflow::cpu_allocator()->AllocateRaw(header, header + bytes);
  if (start == nullptr) return nullptr;
  void* memory = static_cast<char*>(start) + header;
  bytesOf(memory) = bytes;
  return memory;
}

void InputMemory::DeallocateRaw(void* memory) {
  const std::size_t bytes = bytesOf(memory);
  std::vector<Block> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back({memory, bytes});
    freeBytes_ += bytes;
    auto end = free_.begin();
    for (; freeBytes_ > most; end++) freeBytes_ -= end->bytes;
    dropped.assign(free_.begin(), end);
    free_.erase(free_.begin(), end);
  }
  for (const Block& block : dropped) release(block.memory);
}

}  // namespace accelhydra
