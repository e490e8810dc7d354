import { writeNewFile } from "../core/atomic-file.ts";
import { messageOf } from "../data/data-error.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import type { Annotation, ClassInfo, Dataset, RgbImage, Sample } from "../data/sample.ts";
import type { Problem, Purpose } from "../data/scan/problems.ts";
import type { ScanResult } from "../data/scan/scan.ts";
import { checkHtml, type SampleGroup } from "../report/check-page.ts";
import { type LabelledImage, OUTSIDE, percent } from "../report/labelled-images.ts";
import type { SampleChooser } from "./check-data-samples.ts";
import { drawnImage, drawnLabel } from "./preview.ts";

/** A split as its scan left it. */
export interface ScannedSplit {
  readonly dataset: Dataset;
  readonly purpose: Purpose;
  readonly result: ScanResult;
  readonly chooser: SampleChooser;
}

/** What is known of a check beside its splits. */
export interface CheckVerdict {
  readonly isUsable: boolean;
  readonly verdict: string;
  /** Problems of both splits together. */
  readonly between: readonly Problem[];
  readonly warnings: readonly string[];
}

interface Choice extends Omit<SampleGroup, "samples"> {
  readonly samples: readonly Sample[];
}

/** Of each problem of a split so many samples are shown. */
const SAMPLES_PER_PROBLEM = 4;
/** Thumbnails beyond it are left out: a page must open at once. */
const MOST_BYTES = 5e6;

/**
 * Writes the page of a check.
 *
 * @returns The file.
 * @throws {Error} If the file exists.
 */
export async function writeCheckPage(
  path: string,
  splits: readonly ScannedSplit[],
  verdict: CheckVerdict,
): Promise<string> {
  const { name, classes } = splits[0]!.dataset;
  const rarest = rarestClass(splits);
  const groups = choices(splits, rarest);
  const ofProblems = splits.map(samplesOfProblems);
  const all = [
    ...groups.flatMap(({ samples }) => samples),
    ...ofProblems.flatMap((some) => [...some.values()].flat()),
  ];
  const drawn = await drawAll(all, splits, rarest);
  const found = (samples: readonly Sample[]) => samples.flatMap((sample) => drawn.get(sample) ?? []);
  const html = checkHtml({
    title: `Check of ${name}`,
    ...verdict,
    classes,
    splits: splits.map(({ result, purpose }, i) => ({
      result,
      purpose,
      samplesOf: new Map([...ofProblems[i]!].map(([kind, samples]) => [kind, found(samples)])),
    })),
    groups: groups.map((group) => ({ ...group, samples: found(group.samples) })),
    samples: [...drawn.values()],
  });
  writeNewFile("writeCheckPage", path, html, {});
  return path;
}

/** Returns the class of fewest pixels in all splits together, but some; undefined if no class has any. */
function rarestClass(splits: readonly ScannedSplit[]): number | undefined {
  const pixels = splits[0]!.dataset.classes.map((_, i) =>
    splits.reduce((sum, { result }) => sum + result.classes[i]!.pixels, 0),
  );
  const least = Math.min(...pixels.filter((count) => count > 0));
  return Number.isFinite(least) ? pixels.indexOf(least) : undefined;
}

function choices(splits: readonly ScannedSplit[], rarest: number | undefined): Choice[] {
  const from = (choose: (chooser: SampleChooser) => readonly Sample[]) =>
    splits.flatMap(({ chooser }) => choose(chooser));
  return [
    {
      title: "At random",
      explanation: "Is each label of its image, in its place, and of the right class?",
      samples: from(({ random }) => random),
    },
    {
      title: "Least labelled",
      explanation: "Hatched parts are ignored: nothing is learned or scored there.",
      samples: from(({ leastLabelled }) => leastLabelled),
    },
    { title: "Most classes", explanation: "", samples: from(({ mostClasses }) => mostClasses) },
    ...(rarest === undefined
      ? []
      : [
          rarestChoice(
            splits,
            rarest,
            from((chooser) => chooser.ofClass(rarest)),
          ),
        ]),
  ];
}

function rarestChoice(splits: readonly ScannedSplit[], rarest: number, samples: readonly Sample[]): Choice {
  const counts = splits.map(({ result }) => result.classes);
  const own = counts.reduce((sum, classes) => sum + classes[rarest]!.pixels, 0);
  const all = counts.flat().reduce((sum, { pixels }) => sum + pixels, 0);
  const images = counts.reduce((sum, classes) => sum + classes[rarest]!.images, 0);
  return {
    title: `Rarest class: ${splits[0]!.dataset.classes[rarest]!.name}`,
    explanation: `${percent(own / all)} of the labelled pixels, in ${images.toLocaleString("en-GB")} images. A frame is around all its pixels.`,
    samples,
    marked: rarest,
  };
}

/** Returns the first samples of each problem, by kind. */
function samplesOfProblems({ dataset, result }: ScannedSplit): Map<Problem["kind"], Sample[]> {
  const wanted = new Map(
    result.problems.map(({ kind, samples }) => [kind, samples.slice(0, SAMPLES_PER_PROBLEM)]),
  );
  const names = new Set([...wanted.values()].flat());
  const byName = new Map(
    dataset.samples.filter(({ name }) => names.has(name)).map((sample) => [sample.name, sample]),
  );
  return new Map([...wanted].map(([kind, own]) => [kind, own.flatMap((name) => byName.get(name) ?? [])]));
}

/** Draws samples in their order, each once, until the page is full. */
async function drawAll(
  samples: readonly Sample[],
  splits: readonly ScannedSplit[],
  marked: number | undefined,
): Promise<Map<Sample, LabelledImage>> {
  const splitOf = new Map(
    splits.flatMap(({ dataset }) => dataset.samples.map((sample) => [sample, dataset] as const)),
  );
  const drawn = new Map<Sample, LabelledImage>();
  let bytes = 0;
  for (const sample of new Set(samples)) {
    const { split, classes } = splitOf.get(sample)!;
    const own = await drawSample(sample, classes, marked);
    bytes += (own.image?.file.length ?? 0) + (own.label?.file.length ?? 0);
    if (bytes > MOST_BYTES) break;
    drawn.set(sample, { id: String(drawn.size), name: sample.name, split, ...own });
  }
  return drawn;
}

/** Draws what can be read of a sample, and says what cannot. */
async function drawSample(
  sample: Sample,
  classes: readonly ClassInfo[],
  marked: number | undefined,
): Promise<Omit<LabelledImage, "id" | "name">> {
  const faults: string[] = [];
  const note = (error: unknown): undefined => void faults.push(messageOf(error));
  const image = await readImage(sample.image, { range: sample.imageRange }).catch(note);
  const label = sample.annotation && (await readAnyLabel(sample.annotation, image, classes.length, note));
  return {
    classes: [],
    ...(image && (await drawnImage(image))),
    ...(label && (await drawnLabel(label, [...classes, OUTSIDE].slice(0, 255), marked))),
    faults,
  };
}

/** Reads a label as far as it can be read: whatever its size, and what its map does not know as a class after the last. */
async function readAnyLabel(
  annotation: Annotation,
  image: RgbImage | undefined,
  outside: number,
  onError: (error: unknown) => undefined,
) {
  const size = image && ([image.height, image.width] as const);
  try {
    return await readLabel(annotation, size);
  } catch (error) {
    onError(error);
  }
  const lenient = { ...annotation, labelMap: withDefault(annotation.labelMap, outside) } as Annotation;
  return await readLabel(lenient, annotation.kind === "mask" ? undefined : size).catch(() => undefined);
}

/** Returns a label map that has an entry for everything. */
function withDefault(labelMap: Annotation["labelMap"], index: number): Annotation["labelMap"] {
  const entry = { value: index, enumerable: true, configurable: true, writable: true };
  const classes = new Proxy({ ...labelMap.classes } as Record<string, number>, {
    get: (known, key: string) => (Object.hasOwn(known, key) ? known[key] : index),
    getOwnPropertyDescriptor: (known, key) => Object.getOwnPropertyDescriptor(known, key) ?? entry,
  });
  return { ...labelMap, classes } as Annotation["labelMap"];
}
