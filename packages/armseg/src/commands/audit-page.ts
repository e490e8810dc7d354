import { writeFileAtomically } from "../core/atomic-file.ts";
import { fillMask_ } from "../core/region-mask.ts";
import type { AuditedPixels } from "../correction/audit/find-regions.ts";
import { imageThumbnail, labelThumbnail } from "../data/drawing/index.ts";
import { readImage } from "../data/read-image.ts";
import type { ClassInfo, LabelImage, RgbImage, Sample } from "../data/sample.ts";
import { auditHtml, type RegionCard } from "../report/audit-page.ts";
import type { AuditRegion, AuditSummary } from "../runs/audit/index.ts";

/** Regions that the page shows. */
const SHOWN = 100;
/** What is shown of an image: a region with so much around it, as a share of its longer side, but no less than so many pixels. */
const MARGIN = 0.4;
const LEAST_MARGIN = 24;
const LEAST_CROP = 120;
/** Larger crops are kept smaller. */
const MOST_SIDE = 320;

type UnrankedRegion = Omit<AuditRegion, "rank">;

interface Crop {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

interface Candidate {
  readonly region: UnrankedRegion;
  readonly sample: Sample;
  readonly crop: Crop;
  readonly label: LabelImage;
  readonly prediction: LabelImage;
  /** 1 inside the region. */
  readonly inside: LabelImage;
}

/** Keeps the first regions of an audit, with what is around them, and writes a page of them. */
export class AuditPageWriter {
  readonly #classes: readonly ClassInfo[];
  readonly #candidates: Candidate[] = [];

  constructor(classes: readonly ClassInfo[]) {
    this.#classes = classes;
  }

  /** The regions that are kept, the highest score first. */
  get regions(): readonly AuditRegion[] {
    return this.#candidates.map(({ region }, i) => ({ ...region, rank: i + 1 }));
  }

  /** Takes a region if it is among the first so far. */
  add(region: UnrankedRegion, sample: Sample, pixels: AuditedPixels): void {
    const kept = this.#candidates;
    let at = kept.length;
    while (at > 0 && kept[at - 1]!.region.score < region.score) at--;
    if (at >= SHOWN) return;
    kept.splice(at, 0, candidate(region, sample, pixels));
    kept.length = Math.min(kept.length, SHOWN);
  }

  /** Writes the page. @throws {Error} If an image cannot be read, or the page not be written. */
  async write(path: string, summary: AuditSummary): Promise<void> {
    const cards: RegionCard[] = [];
    for (const [i, one] of this.#candidates.entries()) cards.push(await this.#card(one, i + 1));
    writeFileAtomically(path, auditHtml(summary, cards));
  }

  async #card(
    { region, sample, crop, label, prediction, inside }: Candidate,
    rank: number,
  ): Promise<RegionCard> {
    const image = await readImage(sample.image, { range: sample.imageRange });
    return {
      region: { ...region, rank },
      size: [label.height, label.width],
      image: await imageThumbnail(cropImage(image, crop)),
      label: await labelThumbnail(label, this.#classes),
      prediction: await labelThumbnail(prediction, this.#classes),
      outline: outlineOf(inside),
    };
  }
}

function candidate(region: UnrankedRegion, sample: Sample, pixels: AuditedPixels): Candidate {
  const { height, width } = pixels;
  const crop = cropAround(region.mask, [height, width]);
  const whole = { height, width, data: new Uint8Array(height * width) };
  fillMask_(whole, region.mask, 1);
  return {
    region,
    sample,
    crop,
    label: cropPlane({ height, width, data: pixels.label }, crop),
    prediction: cropPlane({ height, width, data: pixels.prediction }, crop),
    inside: cropPlane(whole, crop),
  };
}

function cropAround(box: Crop, [height, width]: readonly [number, number]): Crop {
  const margin = Math.max(LEAST_MARGIN, MARGIN * Math.max(box.height, box.width));
  const [top, tall] = stretch(box.top, box.height, margin, height);
  const [left, wide] = stretch(box.left, box.width, margin, width);
  return { top, left, height: tall, width: wide };
}

/** Returns start and length of a stretch with a margin on both sides, moved and cut to fit. */
function stretch(start: number, length: number, margin: number, end: number): [number, number] {
  const wanted = Math.min(end, Math.max(LEAST_CROP, Math.ceil(length + 2 * margin)));
  const first = Math.round(start + length / 2 - wanted / 2);
  return [Math.min(end - wanted, Math.max(0, first)), wanted];
}

/** Cuts a plane, and makes it smaller by nearest neighbour where it is large. */
function cropPlane({ width, data }: LabelImage, crop: Crop): LabelImage {
  const factor = Math.max(1, Math.max(crop.height, crop.width) / MOST_SIDE);
  const out = {
    height: Math.max(1, Math.round(crop.height / factor)),
    width: Math.max(1, Math.round(crop.width / factor)),
  };
  const cut = new Uint8Array(out.height * out.width);
  for (let row = 0; row < out.height; row++) {
    const from = (crop.top + Math.floor(((row + 0.5) * crop.height) / out.height)) * width + crop.left;
    for (let column = 0; column < out.width; column++)
      cut[row * out.width + column] = data[from + Math.floor(((column + 0.5) * crop.width) / out.width)]!;
  }
  return { ...out, data: cut };
}

function cropImage({ width, data }: RgbImage, { top, left, height, width: wide }: Crop): RgbImage {
  const out = new Uint8Array(3 * height * wide);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((top + row) * width + left);
    out.set(data.subarray(from, from + 3 * wide), 3 * row * wide);
  }
  return { height, width: wide, data: out };
}

/** Returns the borders between inside and outside as the path of an SVG, in pixels. */
function outlineOf({ height, width, data }: LabelImage): string {
  const at = (row: number, column: number) =>
    row >= 0 && row < height && column >= 0 && column < width && data[row * width + column] === 1;
  const path: string[] = [];
  for (let row = 0; row <= height; row++)
    for (let column = 0; column < width; column++) {
      let end = column;
      while (end < width && at(row - 1, end) !== at(row, end)) end++;
      if (end > column) path.push(`M${column} ${row}h${end - column}`);
      column = end;
    }
  for (let column = 0; column <= width; column++)
    for (let row = 0; row < height; row++) {
      let end = row;
      while (end < height && at(end, column - 1) !== at(end, column)) end++;
      if (end > row) path.push(`M${column} ${row}v${end - row}`);
      row = end;
    }
  return path.join("");
}
