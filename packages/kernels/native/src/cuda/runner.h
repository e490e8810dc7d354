// Where the kernels run: a GPU (device.cpp), or the processor in tests (test/emulation). The code above this interface is the
// same for both.
#pragma once
#include <cstdint>
#include <string>

#include "arguments.h"

namespace armseg {
namespace cuda {

class Runner {
 public:
  virtual ~Runner() = default;
  // `arguments` is the kernel's one parameter; it is copied.
  virtual void launch(const char* kernel, int64_t blocks, int64_t threads, int64_t shared_bytes, void* arguments) = 0;
  virtual int64_t most_shared_bytes() const = 0;
  virtual int64_t multiprocessors() const = 0;
  // Host memory that the device writes to. One a device, for ever.
  virtual Problem* problem() = 0;
};

}  // namespace cuda
}  // namespace armseg
