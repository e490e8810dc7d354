import type { Tensor } from "@armseg/torch";
import { loadTensors, noGrad, savePth, saveSafetensors, tidy } from "@armseg/torch";
import type { Segmenter } from "../segmenter.ts";
import { isOursAlone, type State, type Translation, translate } from "./layouts.ts";
import { namedState, type WeightNames } from "./names.ts";
import type { ReshapedTensor, WeightsReport } from "./report.ts";
import { countByPrefix, formatWeightsReport } from "./report.ts";

/** A file's weights do not fit the network. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
  readonly code = "ERR_WEIGHTS";
  /** `null` where the file's names follow no layout that is known. */
  readonly report: WeightsReport | null;

  constructor(message: string, report: WeightsReport | null = null) {
    super(report === null ? message : `${message}\n${formatWeightsReport(report)}`);
    this.report = report;
  }
}

export interface LoadWeightsOptions {
  /** Whether what fits is loaded although other tensors are missing, unknown or of another shape. Default false. */
  readonly allowPartial?: boolean;
}

/** Heads that a network may be built without. */
const OPTIONAL_HEADS = /^(auxiliary_head|log_scale_head)\./;

/**
 * Loads a checkpoint of torchvision, timm, mmsegmentation or our own into a network; the layout is found by its names.
 *
 * A file of a backbone leaves the heads as they are. Nothing is changed unless all fits.
 *
 * @param path - safetensors or `.pth`.
 * @returns What was loaded; print it with {@link formatWeightsReport}.
 * @throws {WeightsError} If the names follow no known layout, or if something is missing, unknown or of another shape, unless `allowPartial`.
 * @throws {FileFormatError} If the file is damaged.
 */
export function loadWeights(
  network: Segmenter,
  path: string,
  options: LoadWeightsOptions = {},
): WeightsReport {
  return tidy(() => {
    const state = loadTensors(path);
    const translation = translate(state);
    if (translation === null) throw unknownLayout(path, state);
    const own = network.stateDict();
    const report = compare(path, translation, own, network.backbone.omitted);
    if (!options.allowPartial) assertFits(report);
    copyFitting(own, translation.state, report);
    return report;
  });
}

function unknownLayout(path: string, state: State): WeightsError {
  const names = [...state.keys()].slice(0, 3).join(", ");
  return new WeightsError(
    `loadWeights(): expected the names of torchvision, timm, mmsegmentation or armseg in ${path}, got ${names || "none"}; ` +
      "is this a checkpoint of a segmentation network or of its backbone?",
  );
}

/** @param omitted - Parts of the whole backbone that the network ends before. */
function compare(
  file: string,
  { layout, isBackbone, state, dropped }: Translation,
  own: State,
  omitted: readonly string[],
): WeightsReport {
  const reshaped = reshapedTensors(own, state);
  const differing = new Set(reshaped.map(({ name }) => name));
  const absent = [...own.keys()].filter((name) => !state.has(name) && !name.endsWith("num_batches_tracked"));
  const isExpected = (name: string) => isOursAlone(name) || (isBackbone && !name.startsWith("backbone."));
  const extra = [...state.keys()].filter((name) => !own.has(name) && !name.endsWith("num_batches_tracked"));
  const isUseless = (name: string) =>
    OPTIONAL_HEADS.test(name) || omitted.some((part) => name.startsWith(`backbone.${part}.`));
  const loaded = [...own.keys()].filter((name) => state.has(name) && !differing.has(name));
  return {
    file,
    layout,
    loaded: loaded.length,
    total: own.size,
    byPrefix: countByPrefix(own.keys(), new Set(loaded)),
    missing: absent.filter((name) => !isExpected(name)),
    expectedMissing: absent.filter(isExpected),
    unexpected: extra.filter((name) => !isUseless(name)),
    reshaped,
    dropped: [...dropped, ...extra.filter(isUseless)],
  };
}

function reshapedTensors(own: State, state: State): ReshapedTensor[] {
  return [...own].flatMap(([name, { shape: inNetwork }]) => {
    const inFile = state.get(name)?.shape;
    return inFile && inFile.join() !== inNetwork.join() ? [{ name, inFile, inNetwork }] : [];
  });
}

function assertFits(report: WeightsReport): void {
  const { missing, unexpected, reshaped, file } = report;
  if (missing.length + unexpected.length + reshaped.length === 0) return;
  throw new WeightsError(
    `loadWeights(): expected ${file} to fit the network, got differences. ${remedyFor(report)}`,
    report,
  );
}

/** Returns the most likely reason, told by the names that differ. */
function remedyFor({ missing, unexpected, reshaped }: WeightsReport): string {
  const lacks = (prefix: string) => missing.some((name) => name.startsWith(prefix));
  const brings = (prefix: string) => unexpected.some((name) => name.startsWith(prefix));
  if (lacks("backbone.stem.") && brings("backbone.conv1.")) {
    return "The file's ResNet has the 7x7 stem: set stem: v1.";
  }
  if (lacks("backbone.conv1.") && brings("backbone.stem.")) {
    return "The file's ResNet has the deep stem: set stem: v1c.";
  }
  if (missing.length + unexpected.length === 0 && reshaped.every(({ name }) => name.includes("conv_seg"))) {
    return "The file was trained for another number of classes: allowPartial loads all but the classifiers.";
  }
  return "Choose the backbone, stem and head that the file was made with, or load what fits with allowPartial.";
}

function copyFitting(own: State, state: State, report: WeightsReport): void {
  const differing = new Set(report.reshaped.map(({ name }) => name));
  noGrad(() => {
    for (const [name, target] of own) {
      const source: Tensor | undefined = differing.has(name) ? undefined : state.get(name);
      if (source) target.copy_(source);
    }
  });
}

export interface SaveWeightsOptions {
  /** Whose names, see {@link namedState}. Default armseg. */
  readonly names?: WeightNames;
  /** Free text kept in the file. */
  readonly metadata?: Iterable<readonly [string, string]>;
}

/**
 * Writes a network's parameters and running statistics to a safetensors file, atomically.
 *
 * @throws {FileAccessError} If the file cannot be written.
 */
export function saveWeights(network: Segmenter, path: string, options: SaveWeightsOptions = {}): void {
  const { names = "armseg", metadata = [] } = options;
  const fields = [["format", "pt"], ["armseg.names", names], ...metadata] as const;
  saveSafetensors(path, namedState(network, names), fields);
}

/**
 * Writes them to a `.pth` file as `torch.save` does: `torch.load(path, weights_only=True)` returns the state dict.
 *
 * @throws {FileAccessError} If the file cannot be written.
 */
export function savePthWeights(
  network: Segmenter,
  path: string,
  { names = "mmsegmentation" }: Pick<SaveWeightsOptions, "names"> = {},
): Promise<void> {
  return savePth(path, namedState(network, names));
}
