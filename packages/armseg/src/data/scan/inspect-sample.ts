import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { type DataError, messageOf } from "../data-error.ts";
import { type ImageForm, type ImageRange, sampleRange } from "../image-form.ts";
import { imageSource } from "../image-source.ts";
import { inspectLabel, type LabelInspection } from "../labels/inspect-label.ts";
import { readLabel } from "../labels/read-label.ts";
import { openImage, readImageAndForm } from "../read-image.ts";
import type { RgbImage, Sample } from "../sample.ts";
import { readWeights } from "../weights.ts";
import { drawnOn } from "./label-orientation.ts";
import type { Finding, ProblemKind } from "./problems.ts";

/** What one sample's files hold. */
export interface Inspection {
  readonly size?: readonly [number, number];
  readonly label?: LabelInspection;
  /** Smallest and largest value of a 16-bit image that is read without a range. */
  readonly values16?: ImageRange;
  readonly findings: readonly Finding[];
}

/**
 * Reads a sample's image, label and weights, and finds what is wrong with each.
 *
 * @param options.countsBorders - Counts where the label's values occur, to tell smoothed masks.
 */
export async function inspectSample(
  sample: Sample,
  options: { readonly countsBorders: boolean },
): Promise<Inspection> {
  const findings: Finding[] = [];
  const attempt = async <T>(kind: ProblemKind, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      findings.push({ kind, text: named(sample, messageOf(error)) });
      return undefined;
    }
  };
  const read = await attempt("unreadable image", () =>
    readImageAndForm(sample.image, { range: sample.imageRange }),
  );
  const size = read?.form.size;
  const label =
    sample.annotation &&
    (await attempt("unreadable label", () => inspectAnnotation(sample, size, findings, options)));
  const labelSize = label?.size ?? size;
  if (sample.weights) await attempt("unreadable weight map", () => readWeights(sample.weights!, labelSize));
  if (read && label) findings.push(...(await orientationFindings(sample, read, label)));
  if (read) findings.push(...bandFindings(sample, read.form), ...pageFindings(sample, read.form));
  const values16 = read && (await valuesOf16Bits(sample, read.form));
  const own = findings.map((finding) => ({ ...finding, samples: [sample.name] }));
  return { findings: own, ...(size && { size }), ...(label && { label }), ...(values16 && { values16 }) };
}

/** Samples that share one annotation file are told apart by name. */
function named({ name }: Sample, text: string): string {
  return text.includes(name) ? text : `${name}: ${text}`;
}

async function inspectAnnotation(
  sample: Sample,
  size: readonly [number, number] | undefined,
  findings: Finding[],
  { countsBorders }: { readonly countsBorders: boolean },
): Promise<LabelInspection> {
  const annotation = sample.annotation!;
  const onUnknown = (error: DataError): unknown =>
    findings.push({ kind: "value outside the label map", text: named(sample, error.message) });
  const label = await inspectLabel(annotation, {
    size: annotation.kind === "mask" ? undefined : size,
    onUnknown,
    countsBorders,
  });
  findings.push(...sizeFindings(sample, label, size), ...pixelFindings(sample, label));
  return label;
}

function sizeFindings(
  { annotation, image }: Sample,
  label: LabelInspection,
  size: readonly [number, number] | undefined,
): Finding[] {
  if (!size || isSame(size, label.size)) return [];
  const text = `${annotation!.path} is ${label.size.join("x")}, ${image} is ${size.join("x")} (height x width)`;
  return [{ kind: "label of another size than its image", text }];
}

function isSame(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function pixelFindings(
  sample: Sample,
  { values, transparentPixels, misplacedShapes, coveredNames }: LabelInspection,
): Finding[] {
  const { path } = sample.annotation!;
  const isValid = values.some(
    ({ label, pixels }) => label !== undefined && label !== IGNORE_INDEX && pixels > 0,
  );
  const more = misplacedShapes && misplacedShapes.count > 1 ? ` (and ${misplacedShapes.count - 1} more)` : "";
  return [
    ...(misplacedShapes
      ? [
          {
            kind: "shape that is not in its image",
            text: named(sample, `${path}: ${misplacedShapes.first}${more}`),
          } as const,
        ]
      : []),
    ...(coveredNames
      ? [
          {
            kind: "shapes beneath others",
            text: named(
              sample,
              `${path}: nothing is left of ${coveredNames.map((name) => `"${name}"`).join(", ")}, which later shapes cover; draw large areas first, or move them to the back`,
            ),
          } as const,
        ]
      : []),
    ...(isValid ? [] : [{ kind: "label without a valid pixel", text: named(sample, path) } as const]),
    ...(transparentPixels
      ? [
          {
            kind: "transparent pixels count as classes",
            text: `${path}: ${transparentPixels.toLocaleString("en-GB")} pixels are transparent, but what they hide counts; if they mean unlabelled, set labels.transparent: ignore`,
          } as const,
        ]
      : []),
  ];
}

/** Viewers turn an image by its EXIF orientation, many programs that write masks do not. Where sides swap, sizes tell it already. */
async function orientationFindings(
  sample: Sample,
  { image, form }: { readonly image: RgbImage; readonly form: ImageForm },
  { size, isTurned }: LabelInspection,
): Promise<Finding[]> {
  const { orientation } = form;
  const mayBeRaw = orientation < 5 || image.height === image.width;
  if (orientation === 1 || isTurned || !mayBeRaw || !isSame(size, form.size)) return [];
  const label = await readLabel(sample.annotation!).catch(() => undefined);
  const verdict = label ? drawnOn(image, label, orientation) : "unclear";
  if (verdict === "upright") return [];
  const cause = `${sample.image} is turned by its EXIF orientation (${orientation}), ${sample.annotation!.path} is not`;
  const text =
    verdict === "raw"
      ? `${cause} and fits the image as its pixels lie in the file, not as it is shown`
      : `${cause}, and whether it was drawn on the image as it is shown cannot be told`;
  return [
    {
      kind: "label and image turned differently",
      text: `${text}; look at both, and take the orientation out of the image (exiftool -Orientation= ${sample.image}) if the label is not turned`,
    },
  ];
}

function pageFindings({ image }: Sample, { pages }: ImageForm): Finding[] {
  if (pages === 1) return [];
  return [
    { kind: "image of several pages", text: `${image} has ${pages} pages or frames; the first is read` },
  ];
}

function bandFindings({ image }: Sample, { bands, fileType, space }: ImageForm): Finding[] {
  if (fileType !== "tiff" || bands < 4 || space === "cmyk") return [];
  const text = `${image} has ${bands} bands; the first three are read as red, green and blue, the others are left out`;
  return [{ kind: "image of more than three bands", text }];
}

async function valuesOf16Bits(
  { image, imageRange }: Sample,
  form: ImageForm,
): Promise<ImageRange | undefined> {
  if (form.depth !== "ushort" || imageRange) return undefined;
  return sampleRange(openImage(await imageSource(image), {}), form);
}
