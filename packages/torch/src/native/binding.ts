/** A tensor of libtorch as the native binding knows it. Never shown to users: {@link Tensor} owns one. */
export type TensorHandle = number & { readonly brand: unique symbol };

/** An opaque libtorch object that JavaScript can only pass on: a generator, packed weights, a process group. */
export interface NativeObject {
  readonly brand: "NativeObject";
}

export type NativeValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | TensorHandle
  | NativeObject
  | NativeValue[];

/** An operator of the dispatcher: the schema's arguments in their order, `undefined` for a default. */
export type NativeOperator = (...values: NativeValue[]) => NativeValue;

export interface NativeParameter {
  readonly name: string;
  /** As the schema writes it, e.g. `Tensor?`, `int[]`, `ScalarType?`. */
  readonly type: string;
  /** 2 for `int[2]`, which also takes one number; else 0. */
  readonly listSize: number;
  readonly hasDefault: boolean;
  readonly isKeywordOnly: boolean;
  /** True for what an in-place or out variant writes to. */
  readonly isWritten: boolean;
  readonly isSupported: boolean;
}

export interface NativeResult {
  readonly name: string;
  readonly type: string;
  /** Index of the argument that is returned, or -1. The native result is then `undefined`. */
  readonly aliasOf: number;
}

export interface NativeSchema {
  readonly schema: string;
  readonly parameters: readonly NativeParameter[];
  readonly results: readonly NativeResult[];
}

export interface NativeAutocastState {
  readonly enabled: boolean;
  readonly dtype: string;
  readonly cache: boolean;
}

/** Everything that the native binding exports; its counterpart is `native/src/binding.h`. */
export interface NativeBinding {
  operator(name: string, overload: string): NativeOperator;
  operatorNames(): string[];
  describeOperator(name: string, overload: string): NativeSchema;

  sizes(handle: TensorHandle): number[];
  strides(handle: TensorHandle): number[];
  dtype(handle: TensorHandle): string;
  device(handle: TensorHandle): string;
  isContiguous(handle: TensorHandle, channelsLast: boolean): boolean;
  alias(handle: TensorHandle): TensorHandle;
  release(handle: TensorHandle): boolean;
  releaseAll(handles: readonly TensorHandle[]): void;
  fromView(view: ArrayBufferView, shape: readonly number[], dtype: string): TensorHandle;
  toBuffer(handle: TensorHandle): ArrayBuffer;
  copyToBuffer(handle: TensorHandle): ArrayBuffer;
  memory(): { tensors: number; bytes: number };

  backward(
    roots: readonly TensorHandle[],
    gradients: readonly (TensorHandle | null)[],
    retainGraph: boolean,
    createGraph: boolean,
  ): void;
  grad(
    outputs: readonly TensorHandle[],
    inputs: readonly TensorHandle[],
    gradOutputs: readonly (TensorHandle | null)[],
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (TensorHandle | null)[];
  requiresGrad(handle: TensorHandle): boolean;
  setRequiresGrad(handle: TensorHandle, value: boolean): void;
  isLeaf(handle: TensorHandle): boolean;
  gradient(handle: TensorHandle): TensorHandle | null;
  setGradient(handle: TensorHandle, gradient: TensorHandle | null): void;
  pushGradMode(isEnabled: boolean): void;
  popGradMode(): void;
  pushInferenceMode(): void;
  popInferenceMode(): void;
  isGradEnabled(): boolean;

  version(): string;
  buildConfiguration(): string;
  libraryPath(): string | null;
  threads(): number;
  setThreads(count: number): void;
  manualSeed(seed: bigint): void;
  defaultGenerator(device: string): NativeObject;
  createGenerator(device: string, seed: bigint): NativeObject;
  seedGenerator(generator: NativeObject, seed: bigint): void;
  generatorState(generator: NativeObject): TensorHandle;
  setGeneratorState(generator: NativeObject, state: TensorHandle): void;
  isDeterministic(): boolean;
  setDeterministic(isOn: boolean): void;
  setCudnnBenchmark(isOn: boolean): void;
  allowTf32(isOn: boolean): void;
  hasCuda(): boolean;
  cudaDeviceCount(): number;
  synchronize(device: string): void;
  autocastState(device: string): NativeAutocastState;
  enterAutocast(device: string, enabled: boolean, dtype: string, cache: boolean): NativeAutocastState;
  leaveAutocast(device: string, enabled: boolean, dtype: string, cache: boolean): void;
  keepFreedMemory(): void;
  loadLibrary(path: string): void;

  /** This and what follows: only where libtorch has c10d. */
  processGroupDevices?(): ("cpu" | "cuda")[];
  joinProcessGroup(
    address: string,
    port: number,
    rank: number,
    worldSize: number,
    timeoutMs: number,
    agentPrefix: string,
  ): NativeObject;
  leaveProcessGroup(group: NativeObject): void;
  allReduce(group: NativeObject, tensor: TensorHandle, operation: "sum" | "max" | "min"): void;
  broadcast(group: NativeObject, tensor: TensorHandle, source: number): void;
  allGather(group: NativeObject, tensor: TensorHandle): TensorHandle;
  createReducer(group: NativeObject, parameters: readonly TensorHandle[]): NativeObject;
  prepareForBackward(reducer: NativeObject): void;
  syncBatchNorm(
    group: NativeObject,
    input: TensorHandle,
    weight: TensorHandle | null,
    bias: TensorHandle | null,
    runningMean: TensorHandle | null,
    runningVar: TensorHandle | null,
    momentum: number,
    eps: number,
  ): TensorHandle;
}
