export { whyNoKernels } from "./devices.ts";
export { isKernelLibraryBuilt, KernelLibraryError, loadKernels } from "./library.ts";
export * from "./operators.ts";
