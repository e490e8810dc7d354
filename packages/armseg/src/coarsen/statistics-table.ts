import { textTable } from "../core/text-table.ts";
import { cityscapesName } from "./class-names.ts";
import { BAND_STARTS, type CoarsenStatistics } from "./statistics.ts";

/** What Cityscapes' own coarse annotations measure against its fine ones (23 frames; polygons: 2975 frames). */
export const CITYSCAPES_TARGETS = {
  coverage: 0.701,
  correctness: 0.995,
  /** Covered share by {@link BAND_STARTS}. */
  bands: [0.127, 0.192, 0.301, 0.462, 0.699, 0.883, 0.969, 0.997],
  /** Covered share by class, under Cityscapes' names. */
  classes: {
    road: 0.868,
    sidewalk: 0.422,
    building: 0.642,
    wall: 0.267,
    fence: 0.563,
    pole: 0.325,
    "traffic light": 0.437,
    "traffic sign": 0.588,
    vegetation: 0.579,
    terrain: 0.484,
    sky: 0.651,
    person: 0.372,
    rider: 0.48,
    car: 0.715,
    truck: 0.213,
    motorcycle: 0.432,
    bicycle: 0.559,
  } as Readonly<Record<string, number>>,
  /** Of the covered pixels of a class, the share with the right class. Buses were not covered at all. */
  right: {
    road: 1,
    sidewalk: 0.951,
    building: 0.997,
    wall: 0.558,
    fence: 0.982,
    pole: 0.825,
    "traffic light": 0.989,
    "traffic sign": 0.982,
    vegetation: 0.998,
    terrain: 0.978,
    sky: 0.996,
    person: 0.995,
    rider: 0.997,
    car: 1,
    truck: 0.377,
    train: 0,
    motorcycle: 0.985,
    bicycle: 0.998,
  } as Readonly<Record<string, number>>,
  polygonsPerFrame: 30,
  verticesPerPolygon: 10,
} as const;

/** Formats the statistics as a text table, each figure beside what Cityscapes' coarse annotations measure. */
export function coarsenText(statistics: CoarsenStatistics): string {
  const sections: readonly (readonly [title: string | null, rows: readonly Row[]])[] = [
    [null, [["", "measured", "Cityscapes"], ...overallRows(statistics)]],
    [
      `covered by distance to the nearest border (pixels of a frame 2048 wide), ${statistics.frames} frames, %`,
      statistics.bands.map(({ coverage }, i) => [
        bandName(i),
        percent(coverage),
        percent(CITYSCAPES_TARGETS.bands[i]!),
      ]),
    ],
    ["covered by class, %", classRows(statistics, "coverage", CITYSCAPES_TARGETS.classes)],
    ["right where covered by class, %", classRows(statistics, "correctness", CITYSCAPES_TARGETS.right)],
  ];
  // One table, so that the columns of all sections stand below each other.
  const lines = textTable(sections.flatMap(([, rows]) => rows));
  let next = 0;
  const texts = sections.map(([title, rows]) => {
    const start = next;
    next += rows.length;
    return [...(title === null ? [] : [title]), ...lines.slice(start, next)].join("\n");
  });
  return `${texts.join("\n\n")}\n`;
}

type Row = readonly [name: string, ours: string, target: string];

function overallRows(statistics: CoarsenStatistics): Row[] {
  const { coverage, correctness, polygonsPerFrame, verticesPerPolygon } = CITYSCAPES_TARGETS;
  return [
    ["covered, %", percent(statistics.coverage), percent(coverage)],
    ["right where covered, %", percent(statistics.correctness, 2), percent(correctness, 2)],
    ["polygons per frame, median", number(statistics.polygonsPerFrame), `${polygonsPerFrame}`],
    ["wrong polygons, %", percent(statistics.wrongPolygons), "-"],
    ["corners per polygon, median", number(statistics.verticesPerPolygon), `${verticesPerPolygon}`],
  ];
}

function classRows(
  { classes }: CoarsenStatistics,
  figure: "coverage" | "correctness",
  targets: Readonly<Record<string, number>>,
): Row[] {
  return classes
    .filter(({ share }) => share > 0)
    .map((own) => [own.name, percent(own[figure]), percent(targets[cityscapesName(own.name)] ?? Number.NaN)]);
}

function bandName(band: number): string {
  const next = BAND_STARTS[band + 1];
  return next === undefined ? `from ${BAND_STARTS[band]}` : `${BAND_STARTS[band]} to ${next - 1}`;
}

function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? (100 * share).toFixed(digits) : "-";
}

function number(value: number): string {
  return Number.isFinite(value) ? `${value}` : "-";
}
