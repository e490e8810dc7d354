export type { OutputKind } from "./build-graph.ts";
export { exportOnnx } from "./export-onnx.ts";
export type { ModelMetadata } from "./metadata.ts";
export { type OnnxNetwork, openOnnxNetwork } from "./onnx-network.ts";
export { AGREEMENT, type Comparison, compareWithNetwork, isEqual, TOLERANCE } from "./parity.ts";
export { isModelPath, ModelFileError, readModelMetadata } from "./read-model.ts";
export { hasRuntime, RuntimeMissingError } from "./runtime/session.ts";
export type { Precision } from "./weight-store.ts";
