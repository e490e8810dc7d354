import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { readLabel } from "../labels/read-label.ts";
import type { Dataset } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { cityscapesAnnotation } from "./cityscapes.ts";
import { coco } from "./coco.ts";
import { cvat } from "./cvat.ts";
import { labelme } from "./labelme.ts";

/** Bounds what each property takes. */
const SETTINGS = { interruptAfterTimeLimit: 1200, numRuns: 60 };
const IGNORED = 255;
/** Classes of all random labels, in the order of the alphabet as LabelMe has them. */
const NAMES = ["a", "b", "c"];

let root: string;
beforeAll(async () => {
  const picture = encodePng(0, 8, 1, 1, [0]);
  root = await fixture({ "x.png": picture, "frame_000007.png": picture, "json/x.png": picture });
});

async function labelOf({ samples: [sample] }: Dataset): Promise<number[]> {
  return [...(await readLabel(sample!.annotation!)).data];
}

// Formats -------------------------------------------------------------------------------------------------------------

interface CocoRegion {
  readonly name: string;
  readonly segmentation: unknown;
}

function readCoco(height: number, width: number, regions: readonly CocoRegion[]): Promise<number[]> {
  const file = {
    images: [{ id: 0, file_name: "x.png", height, width }],
    categories: NAMES.map((name, id) => ({ id, name })),
    annotations: regions.map(({ name, segmentation }, id) => {
      return { id, image_id: 0, category_id: NAMES.indexOf(name), segmentation };
    }),
  };
  writeFileSync(join(root, "a.json"), JSON.stringify(file));
  return coco(join(root, "a.json"), { split: "train", images: root }).then(labelOf);
}

const LABELS = NAMES.map((name) => `<label><name>${name}</name></label>`).join("");

function readCvat(content: string, meta = ""): Promise<number[]> {
  const xml = `<annotations><meta><task>${meta}<labels>${LABELS}</labels></task></meta>${content}</annotations>`;
  writeFileSync(join(root, "a.xml"), xml);
  return cvat(join(root, "a.xml"), { split: "train", images: root }).then(labelOf);
}

function readCvatImage(height: number, width: number, shapes: readonly string[]): Promise<number[]> {
  return readCvat(
    `<image id="0" name="x.png" width="${width}" height="${height}">${shapes.join("")}</image>`,
  );
}

async function readLabelme(height: number, width: number, shapes: readonly object[]): Promise<number[]> {
  const file = { shapes, imagePath: "x.png", imageHeight: height, imageWidth: width };
  writeFileSync(join(root, "json/x.json"), JSON.stringify(file));
  const dataset = await labelme(join(root, "json"), {
    split: "train",
    classes: NAMES.map((name) => ({ name, color: [0, 0, 0] as const })),
  });
  return labelOf(dataset);
}

// Masks ---------------------------------------------------------------------------------------------------------------

/** A random label map: a class or ignored for each pixel, in runs and noise. */
const labelMap = fc
  .record({ height: fc.integer({ min: 1, max: 17 }), width: fc.integer({ min: 1, max: 17 }) })
  .chain(({ height, width }) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 2, IGNORED), {
        minLength: height * width,
        maxLength: height * width,
      })
      .map((data) => ({ height, width, data })),
  );

/** The classes of a label map, each with a bit per pixel. */
function masksOf(data: readonly number[]): { name: string; bits: boolean[] }[] {
  return NAMES.flatMap((name, i) =>
    data.includes(i) ? [{ name, bits: data.map((value) => value === i) }] : [],
  );
}

/** Lengths of runs, background first. */
function runsOf(bits: readonly boolean[]): number[] {
  const runs = [0];
  bits.forEach((bit) => {
    if (bit !== (runs.length % 2 === 0)) runs.push(0);
    runs[runs.length - 1]!++;
  });
  return runs;
}

/** The bits column by column. */
function byColumns(bits: readonly boolean[], height: number, width: number): boolean[] {
  return bits.map((_, i) => bits[(i % height) * width + Math.floor(i / height)]!);
}

/** COCO's compressed form: groups of five bits, low first, the sixth says that more follow, signed differences from the fourth on. */
function compress(runs: readonly number[]): string {
  return runs
    .map((run, i) => {
      let value = i > 2 ? run - runs[i - 2]! : run;
      let text = "";
      for (let isOver = false; !isOver; ) {
        const bits = value & 31;
        value >>= 5;
        isOver = bits & 16 ? value === -1 : value === 0;
        text += String.fromCharCode(48 + bits + (isOver ? 0 : 32));
      }
      return text;
    })
    .join("");
}

/** The box around the set bits, and the bits in it. */
function boxOf(bits: readonly boolean[], width: number) {
  const set = bits.flatMap((bit, i) => (bit ? [[i % width, Math.floor(i / width)] as const] : []));
  const [xs, ys] = [set.map(([x]) => x), set.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const size = { width: Math.max(...xs) - left + 1, height: Math.max(...ys) - top + 1 };
  const inside = Array.from({ length: size.height * size.width }, (_, i) => {
    return bits[(top + Math.floor(i / size.width)) * width + left + (i % size.width)]!;
  });
  return { left, top, ...size, bits: inside };
}

function cvatMask(name: string, bits: readonly boolean[], width: number, rest = ""): string {
  const box = boxOf(bits, width);
  return `<mask ${rest} label="${name}" rle="${runsOf(box.bits).join(", ")}" left="${box.left}" top="${box.top}" width="${box.width}" height="${box.height}" z_order="0"/>`;
}

/** A polygon around each run of a row: together they are exactly the mask. */
function ringsOf(bits: readonly boolean[], width: number): number[][] {
  const isStart = (i: number): boolean => bits[i]! && (i % width === 0 || !bits[i - 1]);
  return bits.flatMap((_, i) => {
    if (!isStart(i)) return [];
    let end = i + 1;
    while (end % width !== 0 && bits[end]) end++;
    const [x, y] = [i % width, Math.floor(i / width)];
    const right = x + end - i;
    return [[x, y, right, y, right, y + 1, x, y + 1]];
  });
}

describe("random label maps are read back without one wrong pixel", () => {
  const check = (write: (height: number, width: number, data: readonly number[]) => Promise<number[]>) =>
    fc.assert(
      fc.asyncProperty(
        labelMap.filter(({ data }) => data.some((value) => value !== IGNORED)),
        async ({ height, width, data }) => {
          expect(await write(height, width, data)).toEqual(data);
        },
      ),
      SETTINGS,
    );

  test.each([
    ["run lengths", (runs: number[]) => runs],
    ["compressed run lengths", compress],
  ])("COCO %s", async (_, counts) => {
    await check((height, width, data) =>
      readCoco(
        height,
        width,
        masksOf(data).map(({ name, bits }) => {
          const segmentation = {
            size: [height, width],
            counts: counts(runsOf(byColumns(bits, height, width))),
          };
          return { name, segmentation };
        }),
      ),
    );
  });

  test("COCO polygons along pixels", async () => {
    await check((height, width, data) => {
      const regions = masksOf(data).map(({ name, bits }) => ({ name, segmentation: ringsOf(bits, width) }));
      return readCoco(height, width, regions);
    });
  });

  test("CVAT masks and polygons along pixels", async () => {
    await check((height, width, data) =>
      readCvatImage(
        height,
        width,
        masksOf(data).map(({ name, bits }) => cvatMask(name, bits, width)),
      ),
    );
    await check((height, width, data) => {
      const polygons = masksOf(data).flatMap(({ name, bits }) =>
        ringsOf(bits, width).map((ring) => `<polygon label="${name}" points="${pairsOf(ring)}"/>`),
      );
      return readCvatImage(height, width, polygons);
    });
  });

  test("CVAT video: a track of masks for each class", async () => {
    await check((height, width, data) => {
      const tracks = masksOf(data).map(({ name, bits }, id) => {
        const mask = cvatMask(name, bits, width, 'frame="7" outside="0"');
        return `<track id="${id}" label="${name}">${mask}</track>`;
      });
      const size = `<original_size><width>${width}</width><height>${height}</height></original_size>`;
      return readCvat(tracks.join(""), size);
    });
  });

  test("LabelMe masks", async () => {
    await check((height, width, data) =>
      readLabelme(
        height,
        width,
        masksOf(data).map(({ name, bits }) => {
          const box = boxOf(bits, width);
          const values = box.bits.map((bit) => (bit ? 1 : 0));
          return {
            label: name,
            shape_type: "mask",
            points: [
              [box.left, box.top],
              [box.left + box.width - 1, box.top + box.height - 1],
            ],
            mask: Buffer.from(encodePng(0, 1, box.height, box.width, values)).toString("base64"),
          };
        }),
      ),
    );
  });
});

// Shapes --------------------------------------------------------------------------------------------------------------

type Point = readonly [number, number];

/** What a shape covers, by a rule of its own: inside or not, and how far its edge is, for the centre of a pixel. */
interface Oracle {
  readonly name: string;
  readonly covers: (point: Point) => boolean;
  readonly edgeDistance: (point: Point) => number;
}

const SIZE = 40;
const coordinate = fc.oneof(
  fc.integer({ min: -6, max: SIZE + 6 }),
  fc.double({ min: -6, max: SIZE + 6, noNaN: true }).map((x) => Math.round(x * 100) / 100),
);
const point = fc.tuple(coordinate, coordinate);
const name = fc.constantFrom(...NAMES);
const polygon = fc.record({ name, points: fc.array(point, { minLength: 3, maxLength: 7 }) });
const polygons = fc.array(polygon, { minLength: 1, maxLength: 4 });

function pairsOf(ring: readonly number[]): string {
  return ring.flatMap((x, i) => (i % 2 === 0 ? [`${x},${ring[i + 1]}`] : [])).join(";");
}

/** How far a point is from a segment, as the larger of columns and rows. */
function distanceTo([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number {
  let least = Number.POSITIVE_INFINITY;
  const steps = Math.ceil(4 * Math.max(1, Math.abs(x1 - x0), Math.abs(y1 - y0)));
  for (let i = 0; i <= steps; i++) {
    const [px, py] = [x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps];
    least = Math.min(least, Math.max(Math.abs(px - x), Math.abs(py - y)));
  }
  return least;
}

function sides<T>(points: readonly T[]): [T, T][] {
  return points.map((to, i) => [points.at(i - 1)!, to]);
}

/** Even-odd: a ray to the right crosses the outline an odd number of times. */
function polygonOracle(name: string, points: readonly Point[]): Oracle {
  return {
    name,
    covers: ([x, y]) =>
      sides(points).filter(
        ([[x0, y0], [x1, y1]]) => y0 > y !== y1 > y && x < x0 + ((y - y0) * (x1 - x0)) / (y1 - y0),
      ).length %
        2 ===
      1,
    edgeDistance: (at) => Math.min(...sides(points).map(([from, to]) => distanceTo(at, from, to))),
  };
}

function discOracle(name: string, [cx, cy]: Point, radius: number): Oracle {
  return {
    name,
    covers: ([x, y]) => Math.hypot(x - cx, y - cy) < radius,
    edgeDistance: ([x, y]) => {
      const [dx, dy] = [x - cx, y - cy];
      const from = Math.hypot(dx, dy) || 1;
      // Along the radius, as the larger of columns and rows.
      return (Math.abs(from - radius) * Math.max(Math.abs(dx), Math.abs(dy))) / from;
    },
  };
}

/** Compares a label with what shapes cover, painted in order, where no edge runs through a pixel or its neighbours. */
function expectCovered(label: readonly number[], oracles: readonly Oracle[]): void {
  const wrong = label.flatMap((value, i) => {
    const centre = [(i % SIZE) + 0.5, Math.floor(i / SIZE) + 0.5] as const;
    if (oracles.some((oracle) => oracle.edgeDistance(centre) <= 1.5)) return [];
    const top = oracles.findLast((oracle) => oracle.covers(centre));
    const expected = top ? NAMES.indexOf(top.name) : IGNORED;
    return value === expected ? [] : [{ centre, value, expected }];
  });
  expect(wrong).toEqual([]);
}

/** Nearly flat polygons are problems of their own and no regions. */
function isFlat(points: readonly Point[]): boolean {
  const area = sides(points).reduce((sum, [[x0, y0], [x1, y1]]) => sum + x0 * y1 - x1 * y0, 0);
  return Math.abs(area) < 1;
}

describe("random shapes are read back to a pixel beside an edge", () => {
  const check = <T>(
    shapes: fc.Arbitrary<T[]>,
    read: (shapes: T[]) => Promise<number[]>,
    oracle: (shape: T) => Oracle,
  ) =>
    fc.assert(
      fc.asyncProperty(shapes, async (shapes) => {
        expectCovered(await read(shapes), shapes.map(oracle));
      }),
      SETTINGS,
    );
  const solid = polygons.filter((list) => list.every(({ points }) => !isFlat(points)));
  const oracleOf = ({ name, points }: { name: string; points: readonly Point[] }): Oracle =>
    polygonOracle(name, points);

  test("COCO polygons", async () => {
    const read = (list: { name: string; points: Point[] }[]) =>
      readCoco(
        SIZE,
        SIZE,
        list.map(({ name, points }) => ({ name, segmentation: [points.flat()] })),
      );
    await check(solid, read, oracleOf);
  });

  test("CVAT boxes, turned by degrees about their middle", async () => {
    const side = fc.integer({ min: 1, max: 30 });
    const box = fc.record({
      name,
      corner: point,
      width: side,
      height: side,
      rotation: fc.integer({ min: 0, max: 359 }),
    });
    await check(
      fc.array(box, { minLength: 1, maxLength: 4 }),
      (list) =>
        readCvatImage(
          SIZE,
          SIZE,
          list.map(({ name, corner: [x, y], width, height, rotation }) => {
            const ends = `xtl="${x}" ytl="${y}" xbr="${x + width}" ybr="${y + height}"`;
            return `<box label="${name}" ${ends} rotation="${rotation}" z_order="0"/>`;
          }),
        ),
      ({ name, corner: [x, y], width, height, rotation }) => {
        const [cx, cy] = [x + width / 2, y + height / 2];
        const corner = (i: number): Point => {
          // Clockwise on the screen, where y grows downwards.
          const radius = Math.hypot(width, height) / 2;
          const start = Math.atan2(i < 2 ? -height : height, i === 1 || i === 2 ? width : -width);
          const angle = start + (rotation * Math.PI) / 180;
          return [cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)];
        };
        return polygonOracle(name, [0, 1, 2, 3].map(corner));
      },
    );
  });

  test("CVAT polygons, of images and of a video", async () => {
    const polygonOf = ({ name, points }: { name: string; points: Point[] }, rest = ""): string =>
      `<polygon ${rest} label="${name}" points="${pairsOf(points.flat())}" z_order="0"/>`;
    await check(
      solid,
      (list) =>
        readCvatImage(
          SIZE,
          SIZE,
          list.map((shape) => polygonOf(shape)),
        ),
      oracleOf,
    );
    const size = `<original_size><width>${SIZE}</width><height>${SIZE}</height></original_size>`;
    const track = (shape: { name: string; points: Point[] }, id: number): string =>
      `<track id="${id}" label="${shape.name}">${polygonOf(shape, 'frame="7" outside="0"')}</track>`;
    await check(solid, (list) => readCvat(list.map(track).join(""), size), oracleOf);
  });

  test("Cityscapes polygons", async () => {
    const classes = Object.fromEntries(NAMES.map((name, i) => [name, i]));
    const read = async (list: { name: string; points: Point[] }[]): Promise<number[]> => {
      const objects = list.map(({ name: label, points }) => ({ label, polygon: points }));
      const path = join(root, "city.json");
      writeFileSync(path, JSON.stringify({ imgHeight: SIZE, imgWidth: SIZE, objects }));
      const annotation = {
        ...cityscapesAnnotation(path, "polygons"),
        labelMap: { encoding: "names", classes },
      };
      return [...(await readLabel(annotation as Parameters<typeof readLabel>[0])).data];
    };
    await check(polygons, read, oracleOf);
  });

  test("LabelMe polygons, rectangles, circles, lines and points", async () => {
    /** A line is 10 pixels wide and ends at its points. */
    const lineOracle = (name: string, from: Point, to: Point): Oracle => {
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const length = Math.hypot(dx, dy) || 1;
      const [ox, oy] = [(4.5 * dy) / length, (-4.5 * dx) / length];
      return polygonOracle(name, [
        [from[0] + ox, from[1] + oy],
        [to[0] + ox, to[1] + oy],
        [to[0] - ox, to[1] - oy],
        [from[0] - ox, from[1] - oy],
      ]);
    };
    const corners = ([[x0, y0], [x1, y1]]: readonly [Point, Point]): Point[] => [
      [x0, y0],
      [x1, y0],
      [x1, y1],
      [x0, y1],
    ];
    const two = fc.tuple(point, point);
    type Drawn = { shape: { label: string; shape_type: string; points: readonly Point[] }; oracle: Oracle };
    const drawn = (shape_type: string, points: readonly Point[], label: string, oracle: Oracle): Drawn => {
      return { shape: { label, shape_type, points }, oracle };
    };
    const shape: fc.Arbitrary<Drawn> = fc.oneof(
      polygon.map(({ name, points }) => drawn("polygon", points, name, polygonOracle(name, points))),
      fc
        .tuple(name, two)
        .map(([name, two]) => drawn("rectangle", two, name, polygonOracle(name, corners(two)))),
      fc
        .tuple(name, two)
        .map(([name, two]) => drawn("rectangle", corners(two), name, polygonOracle(name, corners(two)))),
      fc.tuple(name, two).map(([name, [centre, rim]]) => {
        const radius = Math.hypot(rim[0] - centre[0], rim[1] - centre[1]);
        return drawn("circle", [centre, rim], name, discOracle(name, centre, radius));
      }),
      fc
        .tuple(name, two)
        .map(([name, [from, to]]) => drawn("line", [from, to], name, lineOracle(name, from, to))),
      fc.tuple(name, point).map(([name, at]) => drawn("point", [at], name, discOracle(name, at, 5))),
    );
    await check(
      fc.array(shape, { minLength: 1, maxLength: 4 }),
      (list) =>
        readLabelme(
          SIZE,
          SIZE,
          list.map(({ shape }) => shape),
        ),
      ({ oracle }) => oracle,
    );
  });
});
