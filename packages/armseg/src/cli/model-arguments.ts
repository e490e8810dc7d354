import { Option } from "commander";
import { UsageError } from "./exit-codes.ts";

/** Returns the option that names the configuration of a model; a run has its own. */
export function dataOption(what: string): Option {
  return new Option("--data <config>", `for a model: configuration with its ${what}`);
}

/** What only one of the two, run and model, can be given. */
interface ModelOptions {
  readonly data?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly device?: string | undefined;
  readonly nproc?: number | undefined;
  readonly maps?: true | undefined;
  /** Whether a model cannot do without `--data`. */
  readonly needsData?: boolean;
}

/** Checks that options fit what is run. @throws {UsageError} Naming the option. */
export function checkModelOptions(path: string, options: ModelOptions): void {
  const { data, set, device, nproc, maps, needsData = false } = options;
  if (!path.endsWith(".onnx")) {
    if (data === undefined) return;
    throw new UsageError(`--data is for models; ${path} is a run, whose own configuration --set changes`);
  }
  if (needsData && data === undefined)
    throw new UsageError(
      `${path} is a model and knows no data; name a configuration with --data armseg.yaml`,
    );
  if (data === undefined && set) throw new UsageError("--set changes a configuration; name one with --data");
  if (device !== undefined && device !== "cpu")
    throw new UsageError(`models run on the CPU here, not on ${device}; leave --device out`);
  if (nproc !== undefined) throw new UsageError("--nproc is for runs; a model uses all processors as it is");
  if (needsData && maps)
    throw new UsageError("eval --maps writes into a run; take predict --maps for a model");
}
