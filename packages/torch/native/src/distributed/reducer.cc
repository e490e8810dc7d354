// c10d's own Reducer, the engine of DistributedDataParallel: gradients travel in buckets while the backward pass goes on.
#if !__has_include(<torch/csrc/distributed/autograd/context/context.h>)
// Debian does not ship this header, and reducer.hpp needs no more of it than these two names.
#define ARMSEG_DECLARES_DIST_AUTOGRAD
#include <ATen/ATen.h>

#include <functional>
#include <memory>

namespace torch::distributed::autograd {
class DistAutogradContext {
 public:
  using GradCallback = std::function<bool(at::Tensor&)>;
};
using ContextPtr = std::shared_ptr<DistAutogradContext>;
}  // namespace torch::distributed::autograd
#endif

#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <stdexcept>
#include <type_traits>

#include "../environment.h"
#include "../export.h"
#include "process_group.h"

namespace armseg::distributed {

namespace {

// DistributedDataParallel's own sizes: a small first bucket starts the traffic early.
constexpr int64_t kFirstBucketBytes = 1 << 20;
constexpr int64_t kBucketBytes = 25 << 20;

using Buckets = std::vector<std::vector<size_t>>;
using Limits = std::vector<size_t>;
using Sparse = std::vector<bool>;
using Names = std::unordered_map<size_t, std::string>;

/// The constructor gained and lost arguments from version to version; the arguments here mean the same to each.
template <class R>
std::unique_ptr<R> make(const std::vector<at::Tensor>& parameters, const Buckets& buckets, const Limits& limits,
                        const Group& group) {
  const Sparse sparse(parameters.size(), false);
  const Names names;
  constexpr bool kFindUnused = false;
  constexpr bool kGradientIsView = false;
  if constexpr (std::is_constructible_v<R, std::vector<at::Tensor>, Buckets, Limits, Group, Sparse, int64_t, bool, bool,
                                        Names, int64_t>) {
    return std::make_unique<R>(parameters, buckets, limits, group, sparse, kBucketBytes, kFindUnused, kGradientIsView,
                               names, kFirstBucketBytes);
  } else if constexpr (std::is_constructible_v<R, std::vector<at::Tensor>, Buckets, Group, Sparse, int64_t, bool, bool,
                                               Names, int64_t>) {
    return std::make_unique<R>(parameters, buckets, group, sparse, kBucketBytes, kFindUnused, kGradientIsView, names,
                               kFirstBucketBytes);
  } else if constexpr (std::is_constructible_v<R, std::vector<at::Tensor>, Buckets, Group, Sparse, int64_t, bool, bool,
                                               Names, int64_t, bool, bool>) {
    return std::make_unique<R>(parameters, buckets, group, sparse, kBucketBytes, kFindUnused, kGradientIsView, names,
                               kFirstBucketBytes, false, false);
  } else {
    return std::make_unique<R>(parameters, buckets, group, sparse, kBucketBytes, kFindUnused, kGradientIsView, names,
                               kFirstBucketBytes, false, false, std::vector<int64_t>());
  }
}

/// createReducer(group, parameters) -> reducer
Napi::Value createReducer(const Napi::CallbackInfo& info) {
  const Napi::Array handles = info[1].As<Napi::Array>();
  std::vector<at::Tensor> parameters;
  for (uint32_t i = 0; i < handles.Length(); ++i) {
    const Napi::Value handle = handles[i];
    parameters.push_back(Environment::of(info.Env()).get(handle.As<Napi::Number>().DoubleValue()));
  }
  const Limits limits = {kFirstBucketBytes, kBucketBytes};
  auto [buckets, bucketLimits] = c10d::compute_bucket_assignment_by_size(parameters, limits);
  // The last layers' gradients come first, so their bucket must be the first to leave.
  std::reverse(buckets.begin(), buckets.end());
  std::reverse(bucketLimits.begin(), bucketLimits.end());
  auto reducer = make<c10d::Reducer>(parameters, buckets, bucketLimits, groupAt(info, 0));
  return Napi::External<c10d::Reducer>::New(info.Env(), reducer.release(),
                                            [](Napi::Env, c10d::Reducer* kept) { delete kept; });
}

/// prepareForBackward(reducer): the next backward pass leaves every gradient averaged over the processes.
void prepareForBackward(const Napi::CallbackInfo& info) {
  c10d::Reducer* reducer = info[0].As<Napi::External<c10d::Reducer>>().Data();
  reducer->prepare_for_forward();
  reducer->prepare_for_backward({});
}

}  // namespace

void exportReducer(Napi::Object exports) {
  exportFunction<createReducer>(exports, "createReducer");
  exportFunction<prepareForBackward>(exports, "prepareForBackward");
}

}  // namespace armseg::distributed
