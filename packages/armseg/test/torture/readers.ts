import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTensors, tidy } from "@armseg/torch";
import { create, toBinary } from "@bufbuild/protobuf";
import sharp from "sharp";
import { stringify } from "yaml";
import { readConfig } from "../../src/config/read-config.ts";
import { IGNORE_INDEX } from "../../src/core/ignore-index.ts";
import { cityscapesAnnotation } from "../../src/data/formats/cityscapes.ts";
import { coco } from "../../src/data/formats/coco.ts";
import { cvat } from "../../src/data/formats/cvat.ts";
import { labelme } from "../../src/data/formats/labelme.ts";
import { readLabel } from "../../src/data/labels/read-label.ts";
import { readImage } from "../../src/data/read-image.ts";
import type { Dataset, LabelImage } from "../../src/data/sample.ts";
import { encodePng, withRightChecksums } from "../../src/data/test-support.ts";
import { readWeights } from "../../src/data/weights.ts";
import { ModelProtoSchema } from "../../src/export/generated/onnx_pb.ts";
import { METADATA_KEY } from "../../src/export/metadata.ts";
import { readModelMetadata } from "../../src/export/read-model.ts";
import { testMetadata } from "../../src/export/testing/metadata.ts";
import { openImageFile } from "../../src/pipeline/image-file.ts";
import { readVerdicts } from "../../src/runs/audit/verdicts.ts";
import { readMetrics } from "../../src/runs/metrics.ts";
import type { Random } from "./random.ts";
import {
  npyDifference,
  pngDifference,
  runLengthDifference,
  safetensorsDifference,
  windowDifference,
} from "./references.ts";

/** See `references.ts`. */
export type Comparison = () => Promise<string | null>;

/** A reader of files from outside, with files that it accepts. */
export interface Reader {
  readonly name: string;
  /** Of the file that is read, in a folder of the reader's own. */
  readonly file: string;
  /** Files that are right; each has to be accepted as it is. */
  readonly seeds: () => Promise<readonly Uint8Array[]>;
  /**
   * Reads a file, and all that it leads to; throws an error that names it.
   *
   * @returns Where there is a decoder to compare with: a function that does, and says how the two differ (`null`: they do not).
   */
  readonly read: (path: string) => Promise<Comparison | undefined>;
  /** A file of any form the format has, which is right: most damaged ones are refused, and say nothing of what is read. */
  readonly whole?: (random: Random) => Uint8Array;
  /** Makes checksums right again, so that damage gets past them. */
  readonly repair?: (bytes: Uint8Array) => Uint8Array;
}

const HEIGHT = 24;
const WIDTH = 32;
const values = Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => ((i >> 3) + (i >> 7)) & 15);
const VALUE_MAP = {
  encoding: "values",
  classes: Object.fromEntries(Array.from({ length: 256 }, (_, i) => [i, i])),
} as const;
const points = [
  [3, 3],
  [20, 5],
  [15, 20],
];

function requireSize(
  { height, width, data }: { height: number; width: number; data: ArrayLike<number> },
  channels = 1,
) {
  if (data.length !== height * width * channels)
    throw new RangeError("the reader returned pixels of another size");
}

const readMask = async (path: string): Promise<Comparison> => {
  requireSize(await readLabel({ kind: "mask", path, labelMap: VALUE_MAP }));
  return () => pngDifference(readFileSync(path));
};

const readPicture = async (path: string): Promise<Comparison> => {
  const whole = await readImage(path, { maxPixels: 4e6 });
  requireSize(whole, 3);
  const { size, read } = await openImageFile(path);
  const [height, width] = [Math.min(size[0], 8), Math.min(size[1], 8)];
  const window = await read({ left: 0, top: 0, height, width });
  requireSize(window, 3);
  return async () => windowDifference(whole, window);
};

async function readSamples(dataset: Dataset): Promise<LabelImage[]> {
  const labels: LabelImage[] = [];
  for (const { annotation } of dataset.samples) if (annotation) labels.push(await readLabel(annotation));
  for (const label of labels) requireSize(label);
  return labels;
}

/** Puts a picture beside the file that is read, once. */
function withPicture(
  read: (path: string, images: string) => Promise<Dataset>,
  compare?: (path: string, label: LabelImage) => string | null,
): Reader["read"] {
  return async (path) => {
    const images = join(dirname(path), "images");
    mkdirSync(images, { recursive: true });
    if (!readdirSync(images).includes("x_000003.png")) {
      writeFileSync(
        join(images, "x_000003.png"),
        encodePng(2, 8, HEIGHT, WIDTH, new Uint8Array(3 * HEIGHT * WIDTH)),
      );
    }
    const [label] = await readSamples(await read(path, images));
    return compare && label && (async () => compare(path, label));
  };
}

const json = (...objects: object[]) => objects.map((object) => Buffer.from(JSON.stringify(object)));
const text = (...texts: string[]) => texts.map((each) => Buffer.from(each));
const picture = () =>
  sharp(
    new Uint8Array(3 * HEIGHT * WIDTH).map((_, i) => (i * i) & 255),
    { raw: { height: HEIGHT, width: WIDTH, channels: 3 } },
  );

const IMAGE = { id: 1, file_name: "x_000003.png", height: HEIGHT, width: WIDTH };
const cocoFile = (segmentation: unknown) => ({
  images: [IMAGE],
  categories: [{ id: 1, name: "a" }],
  annotations: [{ id: 1, image_id: 1, category_id: 1, segmentation, bbox: [3, 3, 17, 17] }],
});

/** COCO's compressed run lengths: from the fourth run on, differences to the one before last (`rleToString` of maskApi.c). */
function compressed(counts: readonly number[]): string {
  const isOver = (rest: number, bits: number) => (bits & 16 ? rest === -1 : rest === 0);
  return counts
    .map((count, i) => {
      let out = "";
      for (let rest = i > 2 ? count - counts[i - 2]! : count; ; ) {
        const bits = rest & 31;
        rest >>= 5;
        out += String.fromCharCode(48 + bits + (isOver(rest, bits) ? 0 : 32));
        if (isOver(rest, bits)) return out;
      }
    })
    .join("");
}

/** A grey or indexed PNG of any bit depth and filter, interlaced or not. */
function wholePng(random: Random): Uint8Array {
  const isIndexed = random.below(2) === 1;
  const bitDepth = random.pick(isIndexed ? [1, 2, 4, 8] : [1, 2, 4, 8, 16]);
  const [height, width] = [1 + random.below(40), 1 + random.below(40)];
  const samples = Array.from({ length: height * width }, () => random.below(2 ** Math.min(bitDepth, 8)));
  const palette = [{ type: "PLTE", body: new Uint8Array(3 * 2 ** Math.min(bitDepth, 8)) }];
  return encodePng(
    isIndexed ? 3 : 0,
    bitDepth,
    height,
    width,
    samples,
    isIndexed ? palette : [],
    random.below(2) === 1,
  );
}

/** An array of weights of any type. */
function wholeNpy(random: Random): Uint8Array {
  const [type, size] = random.pick([
    ["<f4", 4],
    ["<f8", 8],
    ["|u1", 1],
  ] as const);
  const shape = [1 + random.below(9), 1 + random.below(9)] as const;
  const file = npy(type, `(${shape.join(", ")})`, size * shape[0] * shape[1]);
  for (let at = 128; at < file.length; at += size) {
    if (size === 1) file.writeUInt8(random.below(256), at);
    else if (size === 4) file.writeFloatLE(random.next() * 9, at);
    else file.writeDoubleLE(random.next() * 9, at);
  }
  return file;
}

/** One mask of random runs, compressed or not. */
function wholeRuns(random: Random): Uint8Array {
  const counts: number[] = [];
  for (let rest = HEIGHT * WIDTH; rest > 0; rest -= counts.at(-1)!)
    counts.push(Math.min(rest, random.below(random.pick([3, 40, 400])) + (counts.length > 0 ? 1 : 0)));
  const segmentation = { size: [HEIGHT, WIDTH], counts: random.below(2) === 1 ? compressed(counts) : counts };
  return Buffer.from(JSON.stringify(cocoFile(segmentation)));
}

/** A verdict on two pixels. */
const VERDICT = {
  image: "a",
  labelFile: "../labels/a.png",
  labelSha256: "0".repeat(64),
  size: [4, 4],
  region: "a#1",
  mask: { top: 0, left: 0, height: 1, width: 2, runs: [0, 2] },
  verdict: "prediction",
  class: 3,
};

function onnxModel(): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      graph: { node: [{ opType: "Identity", input: ["a"], output: ["b"] }], name: "graph" },
      metadataProps: [{ key: METADATA_KEY, value: JSON.stringify(testMetadata(3)) }],
    }),
  );
}

const LABELS =
  "<meta><task><labels><label><name>a &amp; b</name><color>#ff0000</color></label></labels><original_size><width>32</width><height>24</height></original_size></task></meta>";
const SHAPES = `<polygon label="a &amp; b" points="3,3;20,5;15,20" z_order="1"/><mask label="a &amp; b" rle="3, 5, 7, 10" left="7" top="8" width="5" height="5" z_order="0"/><box label="a &#38; b" xtl="1" ytl="2" xbr="9" ybr="9"/><ellipse label="a &amp; b" cx="5" cy="5" rx="3" ry="2"/>`;

/** Golden `.pth` files of every kind. */
const GOLDEN = fileURLToPath(new URL("../../../torch/src/io/golden/", import.meta.url));

function npy(type: string, shape: string, bytes: number): Buffer {
  const header = `${`{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from([118, 0]),
    Buffer.from(header),
    Buffer.alloc(bytes),
  ]);
}

/** Tensors of a file, each looked at to its last element. */
const readTensors = async (path: string): Promise<undefined> =>
  tidy(() => {
    for (const each of loadTensors(path).values()) each.to("float64").sum().item();
    return undefined;
  });

const readSafetensors = async (path: string): Promise<Comparison> => {
  await readTensors(path);
  return async () => tidy(() => safetensorsDifference(readFileSync(path), loadTensors(path)));
};

/** Every reader of files that may come from outside. */
export const READERS: readonly Reader[] = [
  {
    name: "PNG labels",
    file: "label.png",
    seeds: async () => [
      encodePng(0, 8, HEIGHT, WIDTH, values),
      encodePng(3, 4, HEIGHT, WIDTH, values, [{ type: "PLTE", body: new Uint8Array(48) }]),
      encodePng(0, 16, HEIGHT, WIDTH, values),
      encodePng(0, 8, HEIGHT, WIDTH, values, [], true),
    ],
    whole: wholePng,
    read: readMask,
    repair: withRightChecksums,
  },
  {
    name: "PNG images",
    file: "picture.png",
    seeds: async () => [await picture().png().toBuffer(), await picture().png({ palette: true }).toBuffer()],
    read: readPicture,
    repair: withRightChecksums,
  },
  {
    name: "JPEG images",
    file: "picture.jpg",
    seeds: async () => [
      await picture().jpeg().toBuffer(),
      await picture().jpeg({ progressive: true }).toBuffer(),
    ],
    read: readPicture,
  },
  {
    name: "Cityscapes polygons",
    file: "city_gtCoarse_polygons.json",
    seeds: async () =>
      json({ imgHeight: HEIGHT, imgWidth: WIDTH, objects: [{ label: "road", polygon: points }] }),
    read: async (path) => {
      requireSize(await readLabel(cityscapesAnnotation(path, "polygons")));
      return undefined;
    },
  },
  {
    name: "LabelMe",
    file: "json/x_000003.json",
    seeds: async () =>
      ["polygon", "rectangle", "circle"].map((shape_type) =>
        Buffer.from(
          JSON.stringify({
            shapes: [
              { label: "a", points: shape_type === "polygon" ? points : points.slice(0, 2), shape_type },
            ],
            imagePath: "../json/images/x_000003.png",
            imageHeight: HEIGHT,
            imageWidth: WIDTH,
          }),
        ),
      ),
    read: withPicture((path, images) => labelme(dirname(path), { split: "train", images })),
  },
  {
    name: "COCO",
    file: "coco.json",
    whole: wholeRuns,
    seeds: async () =>
      json(
        cocoFile([points.flat()]),
        cocoFile({ size: [HEIGHT, WIDTH], counts: [100, 50, 618] }),
        cocoFile({ size: [HEIGHT, WIDTH], counts: compressed([100, 50, 618]) }),
      ),
    read: withPicture(
      (path, images) => coco(path, { split: "train", images }),
      (path, label) => runLengthDifference(readFileSync(path, "utf8"), label, IGNORE_INDEX),
    ),
  },
  {
    name: "CVAT",
    file: "cvat.xml",
    seeds: async () =>
      text(
        `<?xml version="1.0"?><annotations>${LABELS}<image id="0" name="x_000003.png" width="32" height="24">${SHAPES}</image></annotations>`,
        `<annotations>${LABELS}<track id="0" label="a &amp; b"><box frame="1" outside="0" xtl="1" ytl="2" xbr="9" ybr="9"/><box frame="7" outside="0" xtl="3" ytl="2" xbr="9" ybr="9"/></track></annotations>`,
      ),
    read: withPicture((path, images) => cvat(path, { split: "train", images })),
  },
  {
    name: "configuration",
    file: "config.yaml",
    seeds: async () =>
      text(
        "data: &d\n  format: scenes\n  scenes: {folder: scenes, size: [48, 96]}\nmodel:\n  backbone: resnet18\nschedule:\n  iterations: 10\n",
        stringify({
          name: "a",
          data: { format: "scenes" },
          training: { seed: 1, batchSize: 2 },
          loss: { pixelLoss: "kl" },
        }),
      ),
    read: async (path) => {
      readConfig(path, [], () => {});
      return undefined;
    },
  },
  {
    name: ".pth",
    file: "weights.pth",
    seeds: async () =>
      readdirSync(GOLDEN)
        .filter((name) => /mmsegmentation\.pth$/.test(name))
        .map((name) => readFileSync(join(GOLDEN, name))),
    read: readTensors,
  },
  {
    name: "safetensors",
    file: "weights.safetensors",
    seeds: async () => [readFileSync(join(GOLDEN, "tensors.safetensors"))],
    read: readSafetensors,
  },
  {
    name: "weight maps (npy)",
    file: "weights.npy",
    whole: wholeNpy,
    seeds: async () => [npy("<f4", "(3, 4)", 48), npy("|u1", "(3, 4)", 12), npy("<f8", "(3, 4)", 96)],
    read: async (path) => {
      const map = await readWeights(path);
      requireSize(map);
      return async () => npyDifference(readFileSync(path), map.data);
    },
  },
  {
    name: "ONNX metadata",
    file: "model.onnx",
    seeds: async () => [onnxModel()],
    read: async (path) => {
      readModelMetadata(path);
      return undefined;
    },
  },
  {
    name: "verdicts",
    file: "verdicts.jsonl",
    seeds: async () => text(`${JSON.stringify(VERDICT)}\n${JSON.stringify({ ...VERDICT, region: "a#2" })}\n`),
    read: async (path) => {
      for await (const _ of readVerdicts(path));
      return undefined;
    },
  },
  {
    name: "metrics",
    file: "metrics.jsonl",
    seeds: async () =>
      text(
        '{"kind":"run","iteration":0,"iterations":9,"classes":[],"facts":{}}\n{"kind":"train","iteration":1,"loss":"NaN","meanLoss":0.5}\n',
      ),
    read: async (path) => {
      readMetrics(path);
      return undefined;
    },
  },
];
