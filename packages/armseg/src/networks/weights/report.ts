/** What became of each tensor when weights were loaded. */
export interface WeightsReport {
  readonly file: string;
  /** The layout that the file's names follow. */
  readonly layout: string;
  /** Tensors of the network that were loaded, and that it has. */
  readonly loaded: number;
  readonly total: number;
  /** The same by part of the network: `backbone.layer1`, `decode_head`. */
  readonly byPrefix: readonly PrefixCount[];
  /** Tensors of the network that the file lacks although it should have them. */
  readonly missing: readonly string[];
  /** Tensors of the network that a file of this kind never has: the heads, where it holds a backbone. */
  readonly expectedMissing: readonly string[];
  /** Tensors of the file that the network lacks. */
  readonly unexpected: readonly string[];
  /** Tensors that differ in shape; not loaded. */
  readonly reshaped: readonly ReshapedTensor[];
  /** Tensors of the file that are of no use here: its classifier, heads and last stages that the network was built without. */
  readonly dropped: readonly string[];
}

export interface PrefixCount {
  readonly prefix: string;
  readonly loaded: number;
  readonly total: number;
}

export interface ReshapedTensor {
  readonly name: string;
  readonly inFile: readonly number[];
  readonly inNetwork: readonly number[];
}

/** Shortens `backbone.layer1.0.conv1.weight` to `backbone.layer1`, `decode_head.1.conv_seg.weight` to `decode_head`. */
export function prefixOf(name: string): string {
  const [part = "", second = ""] = name.split(".");
  return part === "backbone" ? `${part}.${second}` : part;
}

/** Counts loaded and total tensors of each prefix, in the order of the network. */
export function countByPrefix(names: Iterable<string>, loaded: ReadonlySet<string>): PrefixCount[] {
  const counts = new Map<string, { loaded: number; total: number }>();
  for (const name of names) {
    const count = counts.get(prefixOf(name)) ?? { loaded: 0, total: 0 };
    counts.set(prefixOf(name), count);
    count.total += 1;
    if (loaded.has(name)) count.loaded += 1;
  }
  return [...counts].map(([prefix, count]) => ({ prefix, ...count }));
}

const LISTED = 8;

function listed(title: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const rest = names.length > LISTED ? [`  ... and ${names.length - LISTED} more`] : [];
  return [`${title} (${names.length}):`, ...names.slice(0, LISTED).map((name) => `  ${name}`), ...rest];
}

function describeReshaped({ name, inFile, inNetwork }: ReshapedTensor): string {
  return `${name}: [${inFile.join(", ")}] in the file, [${inNetwork.join(", ")}] in the network`;
}

/** Formats the report as lines for a terminal or a log. */
export function formatWeightsReport(report: WeightsReport): string {
  const head = `${report.file} (${report.layout}): loaded ${report.loaded} of ${report.total} tensors`;
  const parts = report.byPrefix.map(({ prefix, loaded, total }) => `  ${prefix}: ${loaded} of ${total}`);
  const expected = new Set(report.expectedMissing.map(prefixOf));
  return [
    head,
    ...parts,
    ...(expected.size > 0 ? [`not in such a file, as expected: ${[...expected].join(", ")}`] : []),
    ...(report.dropped.length > 0
      ? [`of no use here: ${[...new Set(report.dropped.map(prefixOf))].join(", ")}`]
      : []),
    ...listed("missing in the file", report.missing),
    ...listed("unknown to the network", report.unexpected),
    ...listed("of another shape", report.reshaped.map(describeReshaped)),
  ].join("\n");
}
