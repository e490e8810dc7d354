// What each file of the binding adds to the module's exports; the TypeScript side of it is src/native/binding.ts.
#pragma once

#include <napi.h>

namespace armseg {

void exportCalls(Napi::Object exports);
void exportTensors(Napi::Object exports);
void exportAutograd(Napi::Object exports);
void exportRuntime(Napi::Object exports);
/// Only where libtorch has c10d.
void exportDistributed(Napi::Object exports);

}  // namespace armseg
