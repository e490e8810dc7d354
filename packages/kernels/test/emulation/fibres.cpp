// The threads of a block as fibres of one processor thread.
#include <ucontext.h>

#include <memory>
#include <vector>

#include "shim.h"

namespace emulation {

Index threadIdx, blockIdx, blockDim, gridDim;
alignas(64) double memory[256 * 1024 / sizeof(double)];

namespace {

constexpr size_t kStack = 128 * 1024;

struct Fibre {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[kStack]};
  bool finished;
};

std::vector<Fibre> fibres;
ucontext_t scheduler;
Fibre* current;
const std::function<void()>* current_body;

void enter() {
  (*current_body)();
  current->finished = true;
  swapcontext(&current->context, &scheduler);
}

void start(Fibre& fibre) {
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = fibre.stack.get();
  fibre.context.uc_stack.ss_size = kStack;
  fibre.context.uc_link = nullptr;
  fibre.finished = false;
  makecontext(&fibre.context, enter, 0);
}

}  // namespace

void __syncthreads() { swapcontext(&current->context, &scheduler); }

// Every thread runs to its next barrier, or its end, before any passes that barrier; each time in another order, so that a
// forgotten barrier shows.
void run_block(unsigned threads, const std::function<void()>& body) {
  if (fibres.size() < threads) fibres.resize(threads);
  current_body = &body;
  for (unsigned i = 0; i < threads; ++i) start(fibres[i]);
  static uint32_t random = 1;
  for (bool any = true; any;) {
    any = false;
    random = random * 1664525u + 1013904223u;
    for (unsigned n = 0; n < threads; ++n) {
      const unsigned turned = (n + (random >> 16)) % threads, i = random >> 31 ? threads - 1 - turned : turned;
      if (fibres[i].finished) continue;
      threadIdx.x = i;
      current = &fibres[i];
      swapcontext(&scheduler, &fibres[i].context);
      any = any || !fibres[i].finished;
    }
  }
}

}  // namespace emulation
