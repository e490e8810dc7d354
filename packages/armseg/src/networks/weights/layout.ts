import type { Tensor } from "@armseg/torch";

/** Named tensors of a file. */
export type State = ReadonlyMap<string, Tensor>;

/** A file's tensors under our names. */
export interface Translation {
  /** The layout, for the report. */
  readonly layout: string;
  /** Whether the file holds a backbone alone, so that heads are expected to be missing. */
  readonly isBackbone: boolean;
  /** Under the names of a Segmenter: `backbone.`, `decode_head.`, `auxiliary_head.` */
  readonly state: State;
  /** Names of the file that no network here has a place for, e.g. the ImageNet classifier. */
  readonly dropped: readonly string[];
}

/** One way of naming: `null` where the names show another one. */
export type Layout = (state: State) => Translation | null;

/** Renames every tensor; `null` from `rename` drops it. */
export function renamed(
  state: State,
  rename: (name: string) => string | null,
): Pick<Translation, "state" | "dropped"> {
  const result = new Map<string, Tensor>();
  const dropped: string[] = [];
  for (const [name, tensor] of state) {
    const target = rename(name);
    if (target === null) dropped.push(name);
    else result.set(target, tensor);
  }
  return { state: result, dropped };
}

/** Whether some name begins with `prefix`. */
export function hasPrefix(state: State, prefix: string): boolean {
  for (const name of state.keys()) if (name.startsWith(prefix)) return true;
  return false;
}
