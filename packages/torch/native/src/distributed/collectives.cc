// What processes do together, one blocking call each.
#include <torch/csrc/distributed/c10d/Types.hpp>

#include <stdexcept>
#include <unordered_map>

#include "../binding.h"
#include "../environment.h"
#include "../export.h"
#include "process_group.h"

namespace armseg {

namespace distributed {

namespace {

const at::Tensor& tensorAt(const Napi::CallbackInfo& info, size_t index) {
  return Environment::of(info.Env()).get(info[index].As<Napi::Number>().DoubleValue());
}

Napi::Value processGroupDevices(const Napi::CallbackInfo& info) {
  const std::vector<std::string> names = devices();
  Napi::Array result = Napi::Array::New(info.Env(), names.size());
  for (size_t i = 0; i < names.size(); ++i) result[static_cast<uint32_t>(i)] = names[i];
  return result;
}

/// joinProcessGroup(address, port, rank, worldSize, timeoutMs, agentPrefix) -> group
Napi::Value joinProcessGroup(const Napi::CallbackInfo& info) {
  const Rendezvous where{info[0].As<Napi::String>(), static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value()),
                         info[2].As<Napi::Number>().Int32Value(), info[3].As<Napi::Number>().Int32Value(),
                         std::chrono::milliseconds(info[4].As<Napi::Number>().Int64Value()),
                         info[5].As<Napi::String>()};
  Group group = join(where);
  return Napi::External<Group>::New(info.Env(), new Group(std::move(group)),
                                    [](Napi::Env, Group* kept) { delete kept; });
}

/// leaveProcessGroup(group): closes its connections; the group is of no use afterwards.
void leaveProcessGroup(const Napi::CallbackInfo& info) { info[0].As<Napi::External<Group>>().Data()->reset(); }

c10d::ReduceOp reduction(const std::string& name) {
  static const std::unordered_map<std::string, c10d::ReduceOp> operations = {
      {"sum", c10d::ReduceOp::SUM}, {"max", c10d::ReduceOp::MAX}, {"min", c10d::ReduceOp::MIN}};
  return operations.at(name);
}

/// allReduce_(group, tensor, operation)
void allReduce(const Napi::CallbackInfo& info) {
  std::vector<at::Tensor> tensors{tensorAt(info, 1)};
  c10d::AllreduceOptions options;
  options.reduceOp = reduction(info[2].As<Napi::String>());
  groupAt(info, 0)->allreduce(tensors, options)->wait();
}

/// broadcast_(group, tensor, source)
void broadcast(const Napi::CallbackInfo& info) {
  std::vector<at::Tensor> tensors{tensorAt(info, 1)};
  c10d::BroadcastOptions options;
  options.rootRank = info[2].As<Napi::Number>().Int32Value();
  groupAt(info, 0)->broadcast(tensors, options)->wait();
}

/// allGather(group, tensor) -> one tensor, the ranks' stacked: `[worldSize, ...]`
Napi::Value allGather(const Napi::CallbackInfo& info) {
  const Group group = groupAt(info, 0);
  std::vector<at::Tensor> mine{tensorAt(info, 1).contiguous()};
  std::vector<std::vector<at::Tensor>> parts(1);
  for (int rank = 0; rank < group->getSize(); ++rank) parts[0].push_back(at::empty_like(mine[0]));
  group->allgather(parts, mine)->wait();
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).add(at::stack(parts[0])));
}

}  // namespace

Group groupAt(const Napi::CallbackInfo& info, size_t index) {
  const Group group = *info[index].As<Napi::External<Group>>().Data();
  if (!group) throw std::runtime_error("ProcessGroup: it was left already");
  return group;
}

}  // namespace distributed

void exportDistributed(Napi::Object exports) {
  using namespace distributed;
  exportFunction<processGroupDevices>(exports, "processGroupDevices");
  exportFunction<joinProcessGroup>(exports, "joinProcessGroup");
  exportFunction<leaveProcessGroup>(exports, "leaveProcessGroup");
  exportFunction<allReduce>(exports, "allReduce", "allReduce_");
  exportFunction<broadcast>(exports, "broadcast", "broadcast_");
  exportFunction<allGather>(exports, "allGather");
  exportReducer(exports);
  exportSyncBatchNorm(exports);
}

}  // namespace armseg
