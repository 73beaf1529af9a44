// Copies to shared memory that run beside the computation: what asynchronous.cuh calls.
#pragma once

#include "fibers.h"

/// cp.async: what was there is lost at once, what comes is there when it has been waited for.
inline void emulatedCopyLater(void* target, const void* source, bool valid, int bytes) {
  std::memset(target, 0xff, bytes);
  emulated::fibers[emulated::running].begun.push_back({target, valid ? source : nullptr, bytes});
}
inline void emulatedEndCopies() {
  emulated::Fiber& fiber = emulated::fibers[emulated::running];
  fiber.copies.push_back(std::move(fiber.begun));
  fiber.begun.clear();
}
inline void emulatedAwaitCopies(size_t pending) {
  auto& copies = emulated::fibers[emulated::running].copies;
  while (copies.size() > pending) {
    for (emulated::Copy copy : copies.front()) {
      if (copy.source) {
        std::memcpy(copy.target, copy.source, copy.bytes);
      } else {
        std::memset(copy.target, 0, copy.bytes);
      }
    }
    copies.erase(copies.begin());
  }
}
