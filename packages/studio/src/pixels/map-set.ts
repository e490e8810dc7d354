import type { ClassColor, ImageOrder, ImagePage, ImageRow, MapSet, Plane } from "../api.ts";

/** An image of a set, with what it is sorted by. */
export interface SetImage {
  readonly name: string;
  readonly size: readonly [number, number];
  /** As the file that lists it says: relative to {@link LoadedSet.folder}, or absolute. */
  readonly imageFile: string;
  readonly imageRange: readonly [number, number] | null;
  readonly planes: Readonly<Partial<Record<Exclude<Plane, "image">, string>>>;
  /** `[label, prediction, pixels]` in turn; `null` without labels. */
  readonly confusion: Int32Array | null;
  /** Over the classes in label or prediction. */
  readonly mIoU: number | null;
  readonly disagreement: number | null;
  readonly quality: number | null;
}

/** A set with its images. */
export interface LoadedSet {
  readonly info: MapSet;
  /** That files are relative to. */
  readonly folder: string;
  readonly images: readonly SetImage[];
}

export interface ImageQuery {
  readonly order: ImageOrder;
  /** Class index, for the order by a class. */
  readonly class: number;
  /** Row and column of the confusion matrix, for the order by a cell. */
  readonly cell: readonly [number, number];
  /** Part of the name. */
  readonly text: string;
  readonly offset: number;
  readonly limit: number;
}

/** Pixels of a confusion in which a label met a prediction. */
export function cellPixels(confusion: Int32Array, label: number, prediction: number): number {
  for (let i = 0; i < confusion.length; i += 3)
    if (confusion[i] === label && confusion[i + 1] === prediction) return confusion[i + 2]!;
  return 0;
}

/** IoU of a class in one image; `null` where it is neither labelled nor predicted. */
export function classIoU(confusion: Int32Array, wanted: number): number | null {
  let [both, either] = [0, 0];
  for (let i = 0; i < confusion.length; i += 3) {
    const [label, prediction, pixels] = [confusion[i]!, confusion[i + 1]!, confusion[i + 2]!];
    if (label !== wanted && prediction !== wanted) continue;
    either += pixels;
    if (label === prediction) both += pixels;
  }
  return either === 0 ? null : both / either;
}

/** Mean IoU of the classes that an image's label or prediction has; `null` without a labelled pixel. */
export function imageMIoU(confusion: Int32Array): number | null {
  const classes = new Set<number>();
  for (let i = 0; i < confusion.length; i += 3) classes.add(confusion[i]!).add(confusion[i + 1]!);
  if (classes.size === 0) return null;
  const sum = [...classes].reduce((total, wanted) => total + (classIoU(confusion, wanted) ?? 0), 0);
  return sum / classes.size;
}

/** Share of the labelled pixels whose prediction is another class. */
export function disagreementOf(confusion: Int32Array): number | null {
  let [wrong, all] = [0, 0];
  for (let i = 0; i < confusion.length; i += 3) {
    all += confusion[i + 2]!;
    if (confusion[i] !== confusion[i + 1]) wrong += confusion[i + 2]!;
  }
  return all === 0 ? null : wrong / all;
}

/** Counts of all images together, rows = labels; `null` without labels. */
export function totalConfusion(
  images: readonly SetImage[],
  classes: readonly ClassColor[],
): number[][] | null {
  if (!images.some(({ confusion }) => confusion)) return null;
  const total = classes.map(() => classes.map(() => 0));
  for (const { confusion } of images)
    for (let i = 0; confusion && i < confusion.length; i += 3) {
      const row = total[confusion[i]!];
      if (row && confusion[i + 1]! < row.length) row[confusion[i + 1]!]! += confusion[i + 2]!;
    }
  return total;
}

/** Returns a part of the images in an order: the worst first. Images that the order says nothing of come last, or not at all for a cell. */
export function imagePage(images: readonly SetImage[], query: ImageQuery): ImagePage {
  const { offset, limit, order } = query;
  const text = query.text.toLowerCase();
  const rows = images
    .map((image, index) => ({ image, index, key: sortKey(image, query) }))
    .filter(({ image }) => text === "" || image.name.toLowerCase().includes(text))
    .filter(({ key }) => order !== "cell" || (key !== null && key < 0));
  if (order !== "name")
    rows.sort(
      (a, b) =>
        (a.key ?? Number.POSITIVE_INFINITY) - (b.key ?? Number.POSITIVE_INFINITY) || a.index - b.index,
    );
  return {
    total: rows.length,
    rows: rows.slice(offset, offset + limit).map(({ image, index }) => imageRow(image, index, query)),
  };
}

/** Lower comes first. */
function sortKey(
  { confusion, mIoU, disagreement, quality }: SetImage,
  { order, class: wanted, cell }: ImageQuery,
) {
  if (order === "mIoU") return mIoU;
  if (order === "disagreement") return disagreement === null ? null : -disagreement;
  if (order === "audit") return quality;
  if (order === "class") return confusion && classIoU(confusion, wanted);
  if (order === "cell") return confusion && -cellPixels(confusion, ...cell);
  return null;
}

function imageRow(image: SetImage, index: number, query: ImageQuery): ImageRow {
  const { name, size, mIoU, disagreement, quality, planes } = image;
  const asked = query.order === "class" || query.order === "cell" ? sortKey(image, query) : null;
  return {
    index,
    name,
    size,
    mIoU,
    disagreement,
    quality,
    asked: asked === null ? null : Math.abs(asked),
    planes: ["image", ...(Object.keys(planes) as Plane[])],
  };
}
