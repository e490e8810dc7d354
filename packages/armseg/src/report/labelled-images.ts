import type { Thumbnail } from "../data/drawing/thumbnails.ts";
import type { ClassInfo } from "../data/sample.ts";
import { colorLabel, page, section } from "./page.ts";
import { formatPercent } from "./svg/format-number.ts";
import { element, escapeText } from "./svg/markup.ts";

/** A sample of a page: an image, its label, and what the label holds. */
export interface LabelledImage {
  /** Unique within the page, of letters and digits. */
  readonly id: string;
  readonly name: string;
  readonly split?: string;
  readonly image?: Thumbnail;
  readonly label?: Thumbnail;
  /** `[height, width]` in pixels of the files. */
  readonly imageSize?: readonly [number, number];
  readonly labelSize?: readonly [number, number];
  /** The classes of the label with their shares of its pixels, largest first. */
  readonly classes: readonly { readonly index: number; readonly share: number }[];
  /** A part of the label to look at: left, top, width and height as fractions of it. */
  readonly box?: readonly [number, number, number, number];
  /** What is wrong with its files. */
  readonly faults: readonly string[];
}

/** Pixels whose value the label map does not know are drawn as a class after the last. */
export const OUTSIDE: ClassInfo = { name: "outside the label map", color: [255, 0, 255] };

const MOST_CLASSES = 7;
/** A box is at least that large a part of the image, or it would be a dot. */
const LEAST_BOX = 0.03;

/** Returns a page that shows images beside their labels, with a legend of the classes; it needs nothing from outside. */
export function previewHtml(
  title: string,
  samples: readonly LabelledImage[],
  classes: readonly ClassInfo[],
): string {
  return page(
    title,
    element("h1", {}, escapeText(title)),
    imageFiles(samples),
    section("Classes", classLegend(classes)),
    viewSwitch(),
    section("Samples", cards(samples, classes)),
  );
}

/** Returns the image files of a page, once each; {@link cards} show them. */
export function imageFiles(samples: readonly LabelledImage[]): string {
  const files = samples.flatMap(({ id, image, label }) => [
    ...(image ? [imageFile(`image-${id}`, image)] : []),
    ...(label ? [imageFile(`label-${id}`, label)] : []),
  ]);
  return element(
    "svg",
    { width: 0, height: 0, class: "files", "aria-hidden": "true" },
    element("defs", {}, ...files),
  );
}

/** A thumbnail, stretched over a square of side 1: whoever shows it knows the proportions. */
function imageFile(id: string, { type, file }: Thumbnail): string {
  const href = `data:image/${type};base64,${Buffer.from(file).toString("base64")}`;
  return element("image", { id, width: 1, height: 1, preserveAspectRatio: "none", href });
}

/** Returns the colours of the classes, and how ignored pixels are drawn. */
export function classLegend(classes: readonly ClassInfo[]): string {
  const entries = classes.map(({ name, color }) => element("span", {}, colorLabel(name, color)));
  return element("div", { class: "legend" }, ...entries, element("span", {}, ignoredLabel("ignored")));
}

function ignoredLabel(text: string): string {
  return element("span", { class: "swatch ignored" }) + escapeText(text);
}

/** Returns the choice of what stands beside each image. It works by style alone. */
export function viewSwitch(): string {
  const choice = (id: string, text: string, isChosen: boolean) =>
    element(
      "label",
      {},
      `<input type="radio" name="view" id="${id}"${isChosen ? " checked" : ""}>`,
      escapeText(text),
    );
  return element(
    "div",
    { class: "views" },
    element("span", { class: "soft" }, "Beside each image:"),
    choice("view-over", "its label over it", true),
    choice("view-alone", "its label alone", false),
    element("span", { class: "soft" }, "Point at a label to see the image beneath it."),
  );
}

/**
 * Returns samples as cards: the image beside its label, and which classes are in it.
 *
 * @param marked - A class to look at: the boxes are around it.
 */
export function cards(
  samples: readonly LabelledImage[],
  classes: readonly ClassInfo[],
  marked?: number,
): string {
  if (samples.length === 0) return "";
  return element("div", { class: "samples" }, ...samples.map((sample) => card(sample, classes, marked)));
}

function card(sample: LabelledImage, classes: readonly ClassInfo[], marked?: number): string {
  const { name, split, faults } = sample;
  const tag = split === undefined ? "" : element("span", { class: "tag" }, escapeText(split));
  return element(
    "figure",
    { class: "sample" },
    element("figcaption", {}, tag, element("strong", {}, escapeText(name)), sizeText(sample)),
    element("div", { class: "pair" }, imageView(sample), labelView(sample, marked !== undefined)),
    sample.label ? contentLegend(sample, classes, marked) : "",
    ...faults.map((fault) => element("p", { class: "fault" }, escapeText(fault))),
  );
}

function sizeText({ imageSize, labelSize }: LabelledImage): string {
  const text = ([height, width]: readonly [number, number]) => `${height}×${width}`;
  const sizes = [
    ...(imageSize ? [text(imageSize)] : []),
    ...(labelSize && !isSameSize({ imageSize, labelSize }) ? [`label ${text(labelSize)}`] : []),
  ];
  return sizes.length === 0 ? "" : element("span", { class: "soft" }, escapeText(sizes.join(", ")));
}

function isSameSize({
  imageSize,
  labelSize,
}: {
  readonly imageSize: LabelledImage["imageSize"];
  readonly labelSize: LabelledImage["labelSize"];
}): boolean {
  return imageSize?.[0] === labelSize?.[0] && imageSize?.[1] === labelSize?.[1];
}

function imageView({ id, name, image, imageSize }: LabelledImage): string {
  if (!image || !imageSize) return missing("no image");
  return view(`image of ${name}`, "", imageSize, [layer("image", id, imageSize)]);
}

/** The label over its image, or alone where the two are not of one size. */
function labelView(sample: LabelledImage, hasBox: boolean): string {
  const { id, name, image, label, imageSize, labelSize, box } = sample;
  if (!label || !labelSize) return missing("no label");
  const isOver = image && isSameSize({ imageSize, labelSize });
  return view(`label of ${name}`, isOver ? "over" : "alone", labelSize, [
    ...(isOver ? [layer("image", id, labelSize)] : []),
    layer("label", id, labelSize),
    ...(box && hasBox ? [boxMark(box, labelSize)] : []),
  ]);
}

function missing(text: string): string {
  return element("div", { class: "missing" }, escapeText(text));
}

function view(
  title: string,
  kind: string,
  [height, width]: readonly [number, number],
  layers: readonly string[],
): string {
  // Few pixels are shown as squares, many smoothly.
  const classes = [kind, ...(Math.max(height, width) <= 120 ? ["coarse"] : [])].filter((name) => name !== "");
  return element(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": title,
      class: classes.length > 0 ? classes.join(" ") : undefined,
    },
    ...layers,
  );
}

function layer(what: "image" | "label", id: string, [height, width]: readonly [number, number]): string {
  return element("use", { href: `#${what}-${id}`, class: what, transform: `scale(${width} ${height})` });
}

function boxMark(
  [left, top, wide, tall]: NonNullable<LabelledImage["box"]>,
  [height, width]: readonly [number, number],
): string {
  const [w, h] = [Math.max(wide, LEAST_BOX), Math.max(tall, LEAST_BOX)];
  const place = {
    x: (left + wide / 2 - w / 2) * width,
    y: (top + tall / 2 - h / 2) * height,
    width: w * width,
    height: h * height,
  };
  return element("rect", { class: "box back", ...place }) + element("rect", { class: "box", ...place });
}

function contentLegend(
  { classes: shares }: LabelledImage,
  classes: readonly ClassInfo[],
  first?: number,
): string {
  const ordered = [...shares].sort((a, b) => Number(b.index === first) - Number(a.index === first));
  const shown = ordered.slice(0, MOST_CLASSES).map(({ index, share }) => {
    const { name, color } = classes[index] ?? OUTSIDE;
    return element("span", {}, colorLabel(name, color), soft(percent(share)));
  });
  const more = shares.length - shown.length;
  const ignored = 1 - shares.reduce((sum, { share }) => sum + share, 0);
  return element(
    "div",
    { class: "legend" },
    ...shown,
    more > 0 ? soft(`${more} more`) : "",
    ignored > 1e-9 ? element("span", {}, ignoredLabel("ignored"), soft(percent(ignored))) : "",
  );
}

function soft(text: string): string {
  return element("span", { class: "soft" }, escapeText(` ${text}`));
}

/** A share in percent; what is there is never nothing. */
export function percent(share: number): string {
  return share > 0 && share < 0.0005 ? "<0.1 %" : `${formatPercent(share)} %`;
}
