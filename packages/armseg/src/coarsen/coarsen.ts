import { HashRandom } from "@armseg/scenes";
import { type Component, findComponents } from "../core/components.ts";
import type { LabelImage } from "../data/sample.ts";
import { distanceToOther } from "./border-distance.ts";
import { probit, regionDeviates, thresholdAt, thresholdTable } from "./margins.ts";
import { mergeNeighbours } from "./merge-neighbours.ts";
import { type Mask, removeHoles_, traceOutline, type Vertex } from "./outline.ts";
import { overlookSpecks_ } from "./overlook-specks.ts";
import { type CoarsenParameters, type CoarsenPreset, resolveParameters } from "./parameters.ts";
import { type CoarsePolygon, rasterisePolygons } from "./rasterise.ts";
import { simplifyOutline } from "./simplify.ts";
import { withWrongPolygons } from "./wrong-polygons.ts";

/** Width of the frames that the lengths of {@link CoarsenParameters} refer to. */
const REFERENCE_WIDTH = 2048;

/** Irrational steps of the plane's low-discrepancy sequence R2 (Roberts 2018). */
const FRAME_STEP = 0.7548776662466927;
const REGION_STEP = 0.5698402909980532;

/** How to coarsen. */
export interface CoarsenOptions {
  /** A ready-made set of parameters or one of one's own. Default `cityscapes`. */
  readonly preset?: CoarsenPreset | CoarsenParameters;
  /** Integer that names the series of random numbers. */
  readonly seed: number;
  /** Integer that names the frame within the series. */
  readonly index: number;
  /** Labels from here up to 255 count as ignored. */
  readonly numClasses: number;
  /** Names of the classes, which say how often the preset's annotator mistakes each, and for what. Default: they are all alike. */
  readonly names?: readonly string[];
  /** Share of the polygons, of every class, that are wrong, 0 to 1. Default: as the preset says. */
  readonly wrong?: number;
}

/** Coarse labels with the polygons that they were drawn with. */
export interface CoarseLabel {
  /** Exactly the rasterisation of the polygons, in order. */
  readonly label: LabelImage;
  readonly polygons: readonly CoarsePolygon[];
}

/**
 * Turns fine labels into coarse ones, as an annotator would draw them in minutes: few polygons with few corners, well
 * inside the regions, small things left out, the borders between classes left open.
 *
 * A pure function of its arguments. The steps are described in docs/coarse-labels.md.
 *
 * @throws {RangeError} If the label does not fill its size, or a parameter is out of range.
 */
export function coarsen(label: LabelImage, options: CoarsenOptions): CoarseLabel {
  const { height, width } = label;
  checkArguments(label, options);
  const parameters = resolveParameters(options.preset ?? "cityscapes");
  const pixel = REFERENCE_WIDTH / width;
  const random = new HashRandom(options.seed, options.index, 0xc0a5e);
  const { mergeGap, mergeProbability } = parameters;
  const classes = mergeNeighbours(
    label,
    options.numClasses,
    mergeGap / pixel,
    mergeProbability,
    random.fork(1),
  );
  overlookSpecks_(classes, height, width, parameters.speckArea / (pixel * pixel));
  const phase = new HashRandom(options.seed, 0xc0a5e).next() + options.index * FRAME_STEP;
  const kept = intendedRegions(classes, height, width, parameters, pixel, phase, random.fork(2));
  const parts = findComponents(kept, height, width);
  const polygons = parts.list
    .map((part, id) => ({ part, id }))
    .filter(({ part }) => part.area * pixel * pixel >= parameters.leastArea)
    // Large regions first, so that what stands before them is drawn over them.
    .sort((a, b) => b.part.area - a.part.area || a.id - b.id)
    .map(({ part, id }): CoarsePolygon => {
      const mask = maskOf(parts.ids, part, id, width);
      removeHoles_(mask, parameters.holeArea / (pixel * pixel));
      const vertices = drawOutline(mask, part, parameters, pixel, random.fork(3, id));
      const clip = ([x, y]: Vertex): Vertex => [
        Math.min(width - 1, Math.max(0, x + part.left - 1)),
        Math.min(height - 1, Math.max(0, y + part.top - 1)),
      ];
      return { label: classes[firstPixel(parts.ids, part, id, width)]!, vertices: vertices.map(clip) };
    });
  const wrong = options.wrong === undefined ? parameters.wrong : { share: options.wrong, shareOf: {} };
  const drawn = wrong
    ? withWrongPolygons(
        polygons,
        wrong,
        { classes, height, width, ...namesOf(options) },
        (value, rank) => chanceOfMistake(options, value, rank),
        random.fork(4),
      )
    : polygons;
  return { label: rasterisePolygons(drawn, height, width), polygons: drawn };
}

/**
 * Uniform in [0, 1), evenly spread over the polygons of a class from the largest on, and over frames: independent chances would leave the
 * share of a class's pixels to its few large polygons.
 */
function chanceOfMistake({ seed, index }: CoarsenOptions, label: number, rank: number): number {
  const phase = new HashRandom(seed, 0xc0a5e, label).next();
  return fraction(phase + index * FRAME_STEP + rank * REGION_STEP);
}

function namesOf({ names }: CoarsenOptions): Pick<CoarsenOptions, "names"> {
  return names ? { names } : {};
}

function checkArguments(
  { height, width, data }: LabelImage,
  { seed, index, numClasses, wrong = 0 }: CoarsenOptions,
): void {
  if (!(height > 0 && width > 0) || data.length !== height * width) {
    throw new RangeError(
      `coarsen(): expected height × width labels, got ${data.length} for ${height}×${width}.`,
    );
  }
  if (!Number.isInteger(numClasses) || numClasses < 1 || numClasses > 256) {
    throw new RangeError(`coarsen(): numClasses must be an integer from 1 to 256, got ${numClasses}.`);
  }
  if (!(wrong >= 0 && wrong <= 1)) {
    throw new RangeError(`coarsen(): wrong must be a share from 0 to 1, got ${wrong}.`);
  }
  for (const [name, value] of Object.entries({ seed, index })) {
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`coarsen(): ${name} must be a safe integer, got ${value}.`);
    }
  }
}

/** Number of the region for each pixel that the annotator means to cover, −1 elsewhere. */
function intendedRegions(
  classes: Int16Array,
  height: number,
  width: number,
  parameters: CoarsenParameters,
  pixel: number,
  phase: number,
  random: HashRandom,
): Int32Array {
  const regions = findComponents(classes, height, width);
  // Annotators keep away from the frame's edge as from any border.
  const distance = distanceToOther({ height, width, data: regions.ids }, true);
  const deepest = new Float32Array(regions.list.length);
  regions.ids.forEach((id, i) => {
    if (id >= 0) deepest[id] = Math.max(deepest[id]!, distance[i]!);
  });
  const table = thresholdTable(parameters.coverage);
  const kept = new Int32Array(height * width).fill(-1);
  const common = commonDeviates(regions.list, phase);
  regions.list.forEach((region, id) => {
    const own = random.fork(id);
    if (!own.chance(drawProbability(region, deepest[id]!, parameters, pixel))) {
      return;
    }
    const deviates = regionDeviates(
      own,
      region,
      common[id]!,
      parameters.regionShare,
      parameters.wavelength / pixel,
    );
    for (let row = region.top; row <= region.bottom; row++) {
      for (let column = region.left; column <= region.right; column++) {
        const at = row * width + column;
        if (regions.ids[at] === id) {
          const toBorder = (distance[at]! - 0.5) * pixel;
          if (deviates(row, column) < thresholdAt(table, toBorder)) kept[at] = id;
        }
      }
    }
  });
  return kept;
}

/**
 * A normal deviate for each region, evenly spread over the regions of a frame from the largest on, and over frames.
 *
 * Independent ones would leave the few large regions that make up a frame to chance; each alone is still normal.
 */
function commonDeviates(regions: readonly Component[], phase: number): Float64Array {
  const deviates = new Float64Array(regions.length);
  const bySize = regions.map((_, id) => id).sort((a, b) => regions[b]!.area - regions[a]!.area || a - b);
  bySize.forEach((id, rank) => {
    deviates[id] = probit(fraction(phase + rank * REGION_STEP) || 0.5);
  });
  return deviates;
}

function drawProbability(
  region: Component,
  deepest: number,
  { smallArea, smallWidth }: CoarsenParameters,
  pixel: number,
): number {
  const area = region.area * pixel * pixel;
  const width = (2 * deepest - 1) * pixel;
  return (area / (area + smallArea)) * (width / (width + smallWidth));
}

/** The part alone, with an empty rim. */
function maskOf(ids: Int32Array, part: Component, id: number, width: number): Mask {
  const mask = { height: part.bottom - part.top + 3, width: part.right - part.left + 3 };
  const data = new Uint8Array(mask.height * mask.width);
  for (let row = part.top; row <= part.bottom; row++) {
    for (let column = part.left; column <= part.right; column++) {
      if (ids[row * width + column] === id) {
        data[(row - part.top + 1) * mask.width + column - part.left + 1] = 1;
      }
    }
  }
  return { ...mask, data };
}

function firstPixel(ids: Int32Array, part: Component, id: number, width: number): number {
  return ids.indexOf(id, part.top * width + part.left);
}

/** Corners of the polygon drawn around a mask, in its own pixels. */
function drawOutline(
  mask: Mask,
  part: Component,
  parameters: CoarsenParameters,
  pixel: number,
  random: HashRandom,
): Vertex[] {
  const wanted = (parameters.tolerance / pixel) * Math.exp(parameters.toleranceSpread * random.normal());
  // A small thing would lose its shape with the same tolerance as a large one.
  const tolerance = Math.min(wanted, 0.1 * Math.sqrt(part.area));
  const corners = simplifyOutline(traceOutline(mask), Math.max(0.5, tolerance));
  const isLarge = random.chance(parameters.overshootShare);
  const overshoot = isLarge ? (parameters.overshoot / pixel) * random.uniform(0.3, 1.7) : 0;
  return grow(corners, lostMargin(corners, maskArea(mask)) + overshoot, random);
}

function maskArea({ data }: Mask): number {
  return data.reduce((sum, inside) => sum + inside, 0);
}

/** Width of the rim that cutting corners has cost or, negative, added: the area lost over the length of the outline. */
function lostMargin(corners: readonly Vertex[], area: number): number {
  let doubled = 0;
  let length = 0;
  corners.forEach(([x0, y0], i) => {
    const [x1, y1] = corners[(i + 1) % corners.length]!;
    doubled += x0 * y1 - x1 * y0;
    length += Math.hypot(x1 - x0, y1 - y0);
  });
  // Half of the pixels under the outline lie outside of it.
  const drawn = Math.abs(doubled) / 2 + length / 2 + 1;
  return length > 0 ? (area - drawn) / length : 0;
}

/** Moves every corner outwards by the given number of pixels; fractions are rounded at random, so none is lost. */
function grow(corners: readonly Vertex[], by: number, random: HashRandom): Vertex[] {
  const count = corners.length;
  return corners.map(([x, y], i) => {
    const before = corners[(i + count - 1) % count]!;
    const after = corners[(i + 1) % count]!;
    // Outlines run clockwise on the screen, so outwards is to the left of the way.
    const [nx, ny] = [after[1] - before[1], before[0] - after[0]];
    const length = Math.hypot(nx, ny) || 1;
    return [
      Math.floor(x + (by * nx) / length + random.next()),
      Math.floor(y + (by * ny) / length + random.next()),
    ];
  });
}

function fraction(x: number): number {
  return x - Math.floor(x);
}
