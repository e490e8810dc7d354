import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ADE20K_CLASSES, ADE20K_VALUES } from "../formats/ade20k.ts";
import { camvid } from "../formats/camvid.ts";
import { cityscapes, cityscapesAnnotation } from "../formats/cityscapes.ts";
import { coco, cocoPanoptic } from "../formats/coco.ts";
import { cvat } from "../formats/cvat.ts";
import { labelme } from "../formats/labelme.ts";
import { readLabelmeShapes } from "../formats/labelme-shapes.ts";
import { readImage } from "../read-image.ts";
import type { Annotation, Dataset, LabelImage } from "../sample.ts";
import { DATA_ROOT, equalRows, golden, hasData, sha256 } from "../test-support.ts";
import { readRawMask } from "./raw-mask.ts";
import { readLabel } from "./read-label.ts";

interface Exact {
  readonly sha256: string;
  readonly size: [number, number];
  readonly counts: Record<string, number>;
}
interface Rows {
  readonly rows: string;
  readonly size: [number, number];
}
interface Goldens {
  cityscapes: {
    labelIds: Record<string, Exact>;
    instanceIds: Record<string, { sha256: string }>;
    polygons: Record<string, Rows>;
  };
  ade20k: Record<string, Exact>;
  camvid: Record<string, { files: number; sha256: string; counts: Record<string, number> }>;
  labelme: { png: Record<string, Exact>; json: Record<string, Rows & { counts: Record<string, number> }> };
  coco: Record<"stuff" | "detection" | "panoptic" | "twoChannel", Record<string, Exact>>;
  cvat: {
    task: Record<string, Exact>;
    project: Record<string, Exact>;
    docs: { centres: Exact; coco: Record<string, number> };
    video: Record<string, Exact>;
  };
  images: Record<string, { sha256: string; size: [number, number]; mean: number }>;
}
// Made by golden/make-label-goldens.py with PIL, numpy and pycocotools.
const goldens = golden<Goldens>("labels.json");
const SAMPLES = join(DATA_ROOT, "samples");
/** What must agree where shapes are painted: borders may differ by a pixel. */
const PAINTED = 0.993;

function countsOf(label: LabelImage): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of label.data) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

async function expectExact(
  annotation: Annotation,
  expected: Exact,
  size?: readonly [number, number],
): Promise<void> {
  const label = await readLabel(annotation, size);
  expect([label.height, label.width]).toEqual(expected.size);
  expect(countsOf(label)).toEqual(expected.counts);
  expect(sha256(label.data)).toBe(expected.sha256);
}

async function expectSamples(
  dataset: Dataset,
  expected: Record<string, Exact>,
  nameOf = (name: string) => `${name}.jpg`,
): Promise<void> {
  expect(dataset.samples.map(({ name }) => nameOf(name)).sort()).toEqual(Object.keys(expected).sort());
  for (const sample of dataset.samples) await expectExact(sample.annotation!, expected[nameOf(sample.name)]!);
}

describe.runIf(hasData)("labels of the real sample files equal an independent reading", () => {
  test.each(Object.entries(goldens.cityscapes.labelIds))("%s", async (path, expected) => {
    await expectExact(cityscapesAnnotation(join(DATA_ROOT, path), "labelIds"), expected, expected.size);
  });

  test.each(Object.entries(goldens.cityscapes.instanceIds))("%s, 16 bits", async (path, expected) => {
    const mask = await readRawMask(join(DATA_ROOT, path));
    expect(mask.bitDepth).toBe(16);
    expect(sha256(mask.values as Uint16Array)).toBe(expected.sha256);
  });

  test.each(Object.entries(goldens.cityscapes.polygons))("%s, painted", async (path, expected) => {
    const label = await readLabel(cityscapesAnnotation(join(DATA_ROOT, path), "polygons"));
    expect([label.height, label.width]).toEqual(expected.size);
    expect(equalRows(label, expected.rows)).toBeGreaterThan(PAINTED);
  });

  test("polygons of Cityscapes equal its label PNGs", async () => {
    for (const path of Object.keys(goldens.cityscapes.labelIds)) {
      const mask = await readLabel(cityscapesAnnotation(join(DATA_ROOT, path), "labelIds"));
      const polygons = path.replace("labelIds.png", "polygons.json");
      const painted = await readLabel(cityscapesAnnotation(join(DATA_ROOT, polygons), "polygons"));
      const equal = mask.data.reduce((sum, value, i) => sum + Number(value === painted.data[i]), 0);
      expect(equal / mask.data.length).toBeGreaterThan(PAINTED);
    }
  });

  test("the Cityscapes folder, where one frame has labels only", async () => {
    const train = await cityscapes(join(SAMPLES, "cityscapes"), { split: "train" });
    expect(train.samples.map(({ name }) => name)).toEqual(["aachen_000000_000019", "aachen_000001_000019"]);
    expect(train.notes).toEqual(["2 images found in train; the official set has 2,975"]);
    const coarse = await cityscapes(join(SAMPLES, "cityscapes"), { split: "train", annotations: "coarse" });
    expect(coarse.samples.map(({ annotation }) => annotation?.kind)).toEqual(["regions", "regions"]);
  });

  test.each(Object.entries(goldens.ade20k))("%s", async (path, expected) => {
    expect(ADE20K_CLASSES).toHaveLength(150);
    await expectExact({ kind: "mask", path: join(DATA_ROOT, path), labelMap: ADE20K_VALUES }, expected);
  });

  test.each(Object.entries(goldens.camvid))("CamVid %s, all files", async (split, expected) => {
    const dataset = await camvid(join(DATA_ROOT, "camvid"), { split });
    expect(dataset.samples).toHaveLength(expected.files);
    const labels = await Promise.all(
      dataset.samples.map(({ annotation }) => readLabel(annotation!, [360, 480])),
    );
    expect(sha256(Buffer.concat(labels.map(({ data }) => data)))).toBe(expected.sha256);
  });

  test.each(Object.entries(goldens.labelme.png))("%s, palette indices", async (path, expected) => {
    const classes = Object.fromEntries([...Array.from({ length: 21 }, (_, i) => [i, i]), [255, 255]]);
    await expectExact(
      { kind: "mask", path: join(DATA_ROOT, path), labelMap: { encoding: "values", classes } },
      expected,
    );
  });

  test.each(Object.entries(goldens.labelme.json))("%s, painted", async (path, expected) => {
    const folder = join(DATA_ROOT, path, "..");
    // The golden script numbers the names of each file for itself.
    const { samples } = await labelme(folder, { split: "train" });
    const sample = samples.find(({ annotation }) => annotation?.path === join(DATA_ROOT, path))!;
    const annotation = sample.annotation as Extract<Annotation, { kind: "regions" }>;
    const own = await readLabelmeShapes(annotation.path);
    const names = [...new Set(own.regions.map(({ label }) => label))]
      .filter((name) => name !== "__ignore__")
      .sort();
    const classes = Object.fromEntries([["__ignore__", 255], ...names.map((name, i) => [name, i])]);
    const label = await readLabel({ ...annotation, labelMap: { encoding: "names", classes } });
    expect([label.height, label.width]).toEqual(expected.size);
    // LabelMe also draws the outline as lines, so that single border pixels of many rows differ: areas are compared.
    const counts = countsOf(label);
    const differing = Object.entries(expected.counts).map(([value, count]) =>
      Math.abs((counts[value] ?? 0) - count),
    );
    expect(differing.reduce((a, b) => a + b) / label.data.length).toBeLessThan(1 - PAINTED);
  });
});

describe.runIf(hasData)("COCO and CVAT sample files equal an independent reading", () => {
  const panoptics = join(SAMPLES, "coco/panopticapi/sample_data");
  const options = { split: "train", images: join(panoptics, "input_images") };

  test("stuff, compressed run lengths", async () => {
    await expectSamples(
      await coco(join(SAMPLES, "coco/cocostuffapi/annotations/stuff_examples.json"), options),
      goldens.coco.stuff,
    );
  });
  test("detection form of panoptic, compressed run lengths", async () => {
    await expectSamples(
      await coco(join(panoptics, "panoptic_coco_detection_format.json"), options),
      goldens.coco.detection,
    );
  });
  test("panoptic, segments as colours", async () => {
    const dataset = await cocoPanoptic(join(panoptics, "panoptic_examples.json"), {
      ...options,
      masks: join(panoptics, "panoptic_examples"),
    });
    expect(dataset.classes).toHaveLength(133);
    expect(dataset.classes[0]).toEqual({ name: "person", color: [220, 20, 60] });
    await expectSamples(dataset, goldens.coco.panoptic);
  });
  test("panoptic, two channels", async () => {
    const masks = join(panoptics, "panoptic_examples_2ch_format");
    const dataset = await cocoPanoptic(join(panoptics, "panoptic_examples.json"), {
      ...options,
      masks,
      form: "twoChannel",
    });
    await expectSamples(dataset, goldens.coco.twoChannel);
  });

  const cvats = join(SAMPLES, "cvat/datumaro/tests/assets/cvat_dataset");
  test("CVAT task export", async () => {
    const images = join(cvats, "for_images/export_task/images");
    const dataset = await cvat(join(cvats, "for_images/export_task/train.xml"), {
      split: "train",
      images,
      labels: { "": "ignore" },
    });
    expect(dataset.classes.map(({ name }) => name)).toEqual(["label1", "label2"]);
    expect(dataset.notes).toEqual([
      "1 polyline element left out: they have no area",
      "1 points element left out: they have no area",
    ]);
    await expectSamples(dataset, goldens.cvat.task);
  });
  test("CVAT task export: a polygon without a label is an error unless it is mapped", async () => {
    const images = join(cvats, "for_images/export_task/images");
    const dataset = await cvat(join(cvats, "for_images/export_task/train.xml"), { split: "train", images });
    await expect(readLabel(dataset.samples[1]!.annotation!)).rejects.toThrow('label "" in');
  });
  test("CVAT project export: a subset and all of it", async () => {
    const path = join(cvats, "for_images/export_project/annotations.xml");
    const images = join(cvats, "for_images/export_project/images");
    const train = await cvat(path, { split: "train", images });
    expect(train.samples.map(({ image }) => image)).toEqual([
      join(images, "Train/img0.jpg"),
      join(images, "Train/img1.jpg"),
    ]);
    const all = await cvat(path, { split: "everything", images });
    await expectSamples(all, goldens.cvat.project, (name) => `${name.replace("__", "/")}.jpg`);
  });
  test("CVAT's documented example: polygon, mask and box by z order", async () => {
    const path = join(SAMPLES, "cvat/cvat_docs/example_images_1.1.xml");
    await expect(cvat(path, { split: "train", images: SAMPLES })).rejects.toThrow("none of the 1 images");
    // The picture is not published; an empty file of its name is enough to read the labels.
    const images = mkdtempSync(join(tmpdir(), "armseg-"));
    writeFileSync(join(images, "filename000.jpg"), "");
    const { samples } = await cvat(path, { split: "train", images });
    await expectExact(samples[0]!.annotation!, goldens.cvat.docs.centres);
    const areas = countsOf(await readLabel(samples[0]!.annotation!));
    for (const [value, count] of Object.entries(goldens.cvat.docs.coco))
      expect(Math.abs(areas[value]! / count - 1)).toBeLessThan(1 - PAINTED);
  });
  test("CVAT video export", async () => {
    const dataset = await cvat(join(cvats, "for_video/annotations.xml"), {
      split: "train",
      images: join(cvats, "for_video/images"),
    });
    expect(dataset.samples.map(({ name }) => name)).toEqual(["frame_000010", "frame_000013", "frame_000016"]);
    await expectExact(dataset.samples[0]!.annotation!, goldens.cvat.video.frame_000010!);
    expect(countsOf(await readLabel(dataset.samples[1]!.annotation!))).toEqual({ 255: 500 });
  });
});

describe.runIf(hasData)("images", () => {
  test.each(Object.entries(goldens.images))("%s", async (path, expected) => {
    const image = await readImage(join(DATA_ROOT, path));
    expect([image.height, image.width]).toEqual(expected.size);
    expect(sha256(image.data)).toBe(expected.sha256);
  });
});
