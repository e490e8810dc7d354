import type { DatasetProblem } from "../sample.ts";
import { sampleName } from "./pair-files.ts";

/** Returns the sample names of files by their paths below a folder; files that differ in type only keep it in their names. */
export function sampleNames(paths: readonly string[]): string[] {
  const pathsOf = new Map<string, Set<string>>();
  for (const path of paths)
    pathsOf.set(sampleName(path), (pathsOf.get(sampleName(path)) ?? new Set()).add(path));
  return paths.map((path) => {
    const name = sampleName(path);
    return pathsOf.get(name)!.size === 1 ? name : path.normalize("NFC").replaceAll("/", "__");
  });
}

/** A label as its format calls it, e.g. `image id 7 in a.json`, with its sample and image. */
export interface LabelOfImage {
  readonly sample: string;
  readonly image: string;
  readonly label: string;
}

/** Returns a problem for each image that several labels are for. */
export function doubleLabels(labels: readonly LabelOfImage[], remedy: string): DatasetProblem[] {
  const byImage = new Map<string, LabelOfImage[]>();
  for (const label of labels) byImage.set(label.image, [...(byImage.get(label.image) ?? []), label]);
  return [...byImage].flatMap(([image, own]) =>
    own.length === 1
      ? []
      : [
          {
            kind: "two labels for one image",
            sample: own[0]!.sample,
            text: `${image} is labelled by ${own.map(({ label }) => label).join(" and by ")}; ${remedy}`,
          } as const,
        ],
  );
}
