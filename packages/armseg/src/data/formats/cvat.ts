import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError, messageOf } from "../data-error.ts";
import type { ClassInfo, Dataset, DatasetProblem, Sample } from "../sample.ts";
import { childrenOf, find, numberOf, readXml, textOf, type XmlElement } from "./cvat-file.ts";
import { cvatShape, WITHOUT_AREA } from "./cvat-shapes.ts";
import { type LayeredRegion, trackRegions } from "./cvat-video.ts";
import { joinSplits } from "./join-splits.ts";
import { findFile, IMAGE_FILE, listFiles, requireInside, withSlashes } from "./list-files.ts";
import { generatedColor, type NamedLabelOptions, namedLabels } from "./named-labels.ts";
import { countOf, unpairedNotes } from "./pair-files.ts";
import { doubleLabels, sampleNames } from "./sample-names.ts";
import { withoutArea } from "./shape-area.ts";

export interface CvatOptions extends NamedLabelOptions {
  /**
   * Project exports: the subset of this name, in any case, if the file has subsets, or several with `+` between them; else
   * only a label.
   */
  readonly split: string;
  /** The folder of images. */
  readonly images: string;
}

interface Frame {
  /** Path below the folder of images. */
  readonly name: string;
  /** What the file calls it, for messages. */
  readonly label: string;
  readonly image: string;
  /** `[height, width]` in pixels, where the export says it. */
  readonly size?: readonly [number, number];
  readonly regions: readonly LayeredRegion[];
}

/**
 * CVAT's XML (for images 1.1, and for video 1.1): polygons, masks, boxes and ellipses of task and project exports, painted by z order, then in the order
 * of the file. Polylines, points, cuboids and skeletons have no area and are left out and counted in the notes.
 *
 * @param path - `annotations.xml`.
 * @throws {DataError} If the file is damaged or of another form, or no image is found.
 */
export async function cvat(path: string, options: CvatOptions): Promise<Dataset> {
  const root = find(await readXml(path), "annotations");
  if (!root)
    throw new DataError(`cvat(): ${path} has no <annotations>; export as "CVAT for images 1.1"`, path);
  return joinSplits(options.split, (split) => readSplit(path, root, { ...options, split }));
}

async function readSplit(path: string, root: XmlElement, options: CvatOptions): Promise<Dataset> {
  try {
    const frames =
      childrenOf(root, "track").length > 0
        ? await videoFrames(root, options)
        : imageFrames(path, root, options);
    return await dataset(path, root, frames, options);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`cvat(): ${path}: ${messageOf(cause)}`, path, cause);
  }
}

function imageFrames(path: string, root: XmlElement, options: CvatOptions): Frame[] {
  const images = childrenOf(root, "image");
  const subset = options.split.toLowerCase();
  const hasSubset = images.some((image) => image.attributes.subset?.toLowerCase() === subset);
  const chosen = hasSubset
    ? images.filter((image) => image.attributes.subset?.toLowerCase() === subset)
    : images;
  return chosen.map((image) => frameOf(image, options.images, hasSubset, path));
}

/** @param isOneSubset - Only images of one subset are read: their names do without it. */
function frameOf(image: XmlElement, folder: string, isOneSubset: boolean, file: string): Frame {
  const written = textOf(image, "name");
  const name = withSlashes(written);
  const { subset, id } = image.attributes;
  try {
    requireInside(folder, join(subset ?? "", name), file);
    requireInside(folder, written, file);
    const own = subset ? findFile(join(folder, subset), written) : undefined;
    return {
      name: isOneSubset || !subset ? name : `${subset}/${name}`,
      label: `image id ${id ?? "(none)"}${subset ? ` of subset ${subset}` : ""}`,
      image: own ?? findFile(folder, written) ?? join(folder, subset ?? "", name),
      size: [numberOf(image, "height"), numberOf(image, "width")],
      regions: image.children.flatMap(layered),
    };
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new Error(`image "${written}": ${messageOf(cause)}`, { cause });
  }
}

function layered(element: XmlElement): LayeredRegion[] {
  const shape = cvatShape(element);
  return shape ? [{ label: textOf(element, "label"), shape, zOrder: numberOf(element, "z_order", 0) }] : [];
}

async function videoFrames(root: XmlElement, { images }: CvatOptions): Promise<Frame[]> {
  const filter = find(root, "meta", "task", "frame_filter")?.text ?? "";
  const step = Number(/step\s*=\s*([1-9]\d{0,5})/.exec(filter)?.[1] ?? 1);
  const files = await listFiles(images, IMAGE_FILE);
  const numbers = new Set(files.flatMap((file) => frameNumber(file) ?? []));
  const frames = trackRegions(childrenOf(root, "track"), step, numbers);
  const size = originalSize(root);
  return files.flatMap((file): Frame[] => {
    const number = frameNumber(file);
    const regions = number === undefined ? undefined : (frames.get(number) ?? []);
    return regions
      ? [
          {
            name: file,
            label: file,
            image: join(images, file),
            regions,
            ...(size && { size }),
          },
        ]
      : [];
  });
}

/** Images of a video are numbered by frame: frame_000010.png. */
function frameNumber(file: string): number | undefined {
  const digits = /(\d+)\.[^.]+$/.exec(file)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function originalSize(root: XmlElement): readonly [number, number] | undefined {
  const [height, width] = ["height", "width"].map((side) =>
    Number(find(root, "meta", "task", "original_size", side)?.text),
  );
  return height && width ? [height, width] : undefined;
}

async function dataset(
  path: string,
  root: XmlElement,
  frames: readonly Frame[],
  options: CvatOptions,
): Promise<Dataset> {
  const { classes, labelMap, background, problems } = namedLabels(labelsOf(root), options, path);
  const present = frames.filter(({ image }) => existsSync(image));
  const alone = frames.filter(({ image }) => !existsSync(image)).map(({ image }) => image);
  if (present.length === 0)
    throw new DataError(
      `cvat(): none of the ${frames.length} images of ${path} is in ${options.images}`,
      path,
    );
  const names = sampleNames(present.map(({ name }) => name));
  const samples = present.map(({ image, size, regions }, i): Sample => {
    const ordered = [...regions]
      .sort((a, b) => a.zOrder - b.zOrder)
      .map(({ label, shape }) => ({ label, shape }));
    const annotation = {
      kind: "regions",
      path,
      format: "inline",
      regions: ordered,
      labelMap,
      background,
      fill: "centres",
    } as const;
    return { name: names[i]!, image, annotation: { ...annotation, ...(size && { size }) } };
  });
  const labels = present.map(({ image, label }, i) => ({
    sample: names[i]!,
    image,
    label: `${label} of ${path}`,
  }));
  return {
    name: "cvat",
    split: options.split,
    classes,
    samples,
    notes: [...withoutAreaNotes(root), ...unpairedNotes([], alone)],
    unpaired: alone,
    problems: [
      ...problems,
      ...doubleLabels(labels, "leave out one of the tasks, or join their labels in CVAT"),
      ...present.flatMap((frame, i) => lostShapes(frame, names[i]!)),
    ],
  };
}

function lostShapes({ name, regions }: Frame, sample: string): DatasetProblem[] {
  return regions.flatMap(({ label, shape }) => {
    const reason = withoutArea(shape);
    const text = `${name}, a shape of "${label}": ${reason}; draw it anew or delete it`;
    return reason ? [{ kind: "annotation without area", sample, text } as const] : [];
  });
}

/** The labels that the export declares, in its order, with their colours; parts of skeletons are no classes. */
function labelsOf(root: XmlElement): ClassInfo[] {
  const meta = find(root, "meta");
  const labels = (meta?.children ?? []).flatMap((part) => childrenOf(find(part, "labels"), "label"));
  return labels
    .filter(
      (label) => !find(label, "parent") && !["skeleton", "tag"].includes(find(label, "type")?.text ?? ""),
    )
    .map((label, i) => ({
      name: find(label, "name")?.text ?? "",
      color: hexColor(find(label, "color")?.text) ?? generatedColor(i),
    }));
}

function hexColor(text: string | undefined): [number, number, number] | undefined {
  if (!text || !/^#[0-9a-f]{6}$/i.test(text)) return undefined;
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function withoutAreaNotes(root: XmlElement): string[] {
  const shapes = root.children.flatMap(({ tag, children }) =>
    tag === "image" || tag === "track" ? children : [],
  );
  const counts = new Map<string, number>();
  for (const { tag } of shapes)
    if (WITHOUT_AREA.has(tag) && tag !== "attribute") counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => `${countOf(count, `${tag} element`)} left out: they have no area`);
}
