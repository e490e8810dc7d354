// The one file that needs the headers of CUDA's runtime and of NCCL; pip's packages bring both along.
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "process_group.h"

namespace armseg::distributed {

void addNccl(c10d::ProcessGroup& group, const Store& store, const Rendezvous& where) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = where.timeout;
  auto nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, where.rank, where.worldSize, options);
  group.setBackend(c10::kCUDA, c10d::ProcessGroup::BackendType::NCCL, nccl);
  group.setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
}

}  // namespace armseg::distributed
