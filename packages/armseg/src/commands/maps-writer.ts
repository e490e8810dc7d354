import { join, resolve } from "node:path";
import { writeGreyPng } from "../data/drawing/grey-png.ts";
import { type FloatMap, writeLabelPng } from "../data/drawing/index.ts";
import type { LabelImage, Sample } from "../data/sample.ts";
import type { ConfusionMatrix } from "../evaluation/index.ts";
import { appendMapsImage, createMapsFolder, type MapsInfo } from "../runs/maps/maps-folder.ts";

/** What the network makes of an image, and what is known of it. */
export interface ImageMaps {
  readonly prediction: LabelImage;
  readonly confidence: FloatMap;
  readonly label?: LabelImage | null;
  /** Of this image alone. */
  readonly confusion?: ConfusionMatrix | null;
}

/** Writes predictions as planes that can be read back to the last bit, for Studio and other programs. */
export class MapsWriter {
  readonly #folder: string;
  readonly #info: MapsInfo;
  readonly #predictionFile: (name: string) => string;

  /**
   * @param options.isMain - Whether this process begins the folder. Default true.
   * @param options.predictionFile - A file of the prediction that is there already, by the sample's name. Default: it is written.
   */
  constructor(
    folder: string,
    info: MapsInfo,
    options: { readonly isMain?: boolean; readonly predictionFile?: (name: string) => string } = {},
  ) {
    this.#folder = folder;
    this.#info = info;
    this.#predictionFile = options.predictionFile ?? ((name) => plane("prediction", name));
    if (options.isMain ?? true) createMapsFolder(folder, info);
  }

  /** Writes the maps of an image, and then the line that names them. */
  async add(sample: Sample, { prediction, confidence, label, confusion }: ImageMaps): Promise<void> {
    const { name } = sample;
    const planes = {
      label: label ? plane("label", name) : null,
      prediction: this.#predictionFile(name),
      confidence: plane("confidence", name),
    };
    if (planes.prediction === plane("prediction", name)) this.#writeLabel(planes.prediction, prediction);
    if (label) this.#writeLabel(planes.label!, label);
    await writeGreyPng(join(this.#folder, planes.confidence), grey(confidence), { overwrite: true });
    appendMapsImage(this.#folder, {
      image: name,
      imageFile: resolve(sample.image),
      ...(sample.imageRange && { imageRange: [...sample.imageRange] as [number, number] }),
      size: [prediction.height, prediction.width],
      planes,
      confusion: confusion ? occurring(confusion) : null,
    });
  }

  #writeLabel(file: string, label: LabelImage): void {
    writeLabelPng(join(this.#folder, file), label, this.#info.classes, { overwrite: true });
  }
}

function plane(kind: "label" | "prediction" | "confidence", name: string): string {
  return `planes/${kind}/${name}.png`;
}

/** -1..1 as 0..255. */
function grey({ height, width, data }: FloatMap): { height: number; width: number; data: Uint8Array } {
  const bytes = new Uint8Array(data.length);
  // A loop: `Uint8Array.from` with a function takes half a second for two million pixels.
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(127.5 * (data[i]! + 1));
  return { height, width, data: bytes };
}

/** The entries of a confusion matrix that are not 0. */
function occurring(confusion: ConfusionMatrix): [number, number, number][] {
  const { numClasses } = confusion;
  return [...confusion.counts].flatMap((count, i) =>
    count === 0
      ? []
      : [[Math.floor(i / numClasses), i % numClasses, count] satisfies [number, number, number]],
  );
}
