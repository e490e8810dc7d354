/** A tensor on its way to or from the thread that runs a model. */
export interface PlainTensor {
  readonly data: Float32Array | Uint8Array;
  readonly dims: readonly number[];
}

/** What the thread is started with. */
export interface WorkerSettings {
  readonly path: string;
  readonly threads: number;
}

/** What the thread answers: the outputs by name, or what went wrong. */
export type WorkerAnswer =
  | { readonly outputs: Readonly<Record<string, PlainTensor>> }
  | { readonly error: string; readonly isMissing?: boolean };
