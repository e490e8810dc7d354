export * as amp from "./amp/index.ts";
export { enableGrad, inferenceMode, isGradEnabled, noGrad } from "./autograd.ts";
export * as distributed from "./distributed/index.ts";
export type { Diagnosis, Problem } from "./doctor/diagnose.ts";
export { diagnose } from "./doctor/diagnose.ts";
export { diagnosisRows, formatDiagnosis } from "./doctor/format.ts";
export { convolutionSpeedup } from "./doctor/rates.ts";
export type { Device, DType, Layout, MemoryFormat, TypedArray } from "./dtype.ts";
export { FileAccessError, FileFormatError, readPth, readSafetensorsHeader, stateDictOf } from "./io/index.ts";
export * as nn from "./nn/index.ts";
export * as optim from "./optim/index.ts";
export { Generator, manualSeed } from "./random.ts";
export {
  allowTf32,
  getThreads,
  isCudaAvailable,
  isDeterministic,
  keepFreedMemory,
  libtorchVersion,
  loadLibrary,
  setThreads,
  synchronize,
  useCudnnBenchmark,
  useDeterministicAlgorithms,
} from "./runtime.ts";
export type { MemoryFigures } from "./scope.ts";
export { DisposedTensorError, keep, memory, tidy } from "./scope.ts";
export { NativeLibraryError } from "./setup/native-package.ts";
export type { NestedNumbers, TensorOptions } from "./tensor.ts";
export { fromTypedArray, gradients, operator, ops, Parameter, parameter, Tensor, tensor } from "./tensor.ts";
export type { TensorFile } from "./tensor-files.ts";
export {
  checksum,
  loadSafetensors,
  loadTensors,
  savePth,
  saveSafetensors,
  tensorOfRaw,
} from "./tensor-files.ts";
export { isTraced, type Trace, type TracedCall, type TracedValue, trace } from "./trace.ts";
