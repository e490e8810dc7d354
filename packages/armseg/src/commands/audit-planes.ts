import fs from "node:fs";
import { join } from "node:path";
import type { AuditedPixels } from "../correction/audit/find-regions.ts";
import { encodeGreyPng } from "../data/drawing/grey-png.ts";
import { encodeLabelPngInBackground } from "../data/drawing/label-png.ts";
import type { ClassInfo } from "../data/sample.ts";

/** Images whose planes are compressed while the network looks at the next ones. */
const PENDING = 4;

/** Writes the planes of images in the background, a few at a time: the memory does not grow with the set. */
export class PlaneWriter {
  readonly #folder: string;
  readonly #classes: readonly ClassInfo[];
  readonly #pending: Promise<void>[] = [];

  /** @param folder - Emptied first. */
  constructor(folder: string, classes: readonly ClassInfo[]) {
    this.#folder = folder;
    this.#classes = classes;
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
  }

  /**
   * Begins to write the planes of an image; waits where many are not done.
   *
   * @param index - Of the image: no name of a sample becomes that of a file.
   * @returns The names of the files.
   * @throws {Error} If those of an earlier image cannot be written.
   */
  async add(
    index: number,
    pixels: AuditedPixels,
  ): Promise<{ label: string; prediction: string; likelihood: string }> {
    if (this.#pending.length >= PENDING) await this.#pending.shift();
    const name = (plane: string) => `${String(index).padStart(6, "0")}-${plane}.png`;
    const files = { label: name("label"), prediction: name("prediction"), likelihood: name("likelihood") };
    const write = this.#write(files, pixels);
    // It is awaited in its turn; a failure before that must not count as unhandled.
    write.catch(() => {});
    this.#pending.push(write);
    return files;
  }

  /** Waits until everything is written. @throws {Error} If something cannot be. */
  async finish(): Promise<void> {
    while (this.#pending.length > 0) await this.#pending.shift();
  }

  async #write(
    files: { readonly label: string; readonly prediction: string; readonly likelihood: string },
    { height, width, label, prediction, likelihood }: AuditedPixels,
  ): Promise<void> {
    // A loop: `Uint8Array.from` with a function takes half a second for two million pixels.
    const bytes = new Uint8Array(likelihood.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(255 * likelihood[i]!);
    const encoded = [
      [files.label, encodeLabelPngInBackground({ height, width, data: label }, this.#classes)],
      [files.prediction, encodeLabelPngInBackground({ height, width, data: prediction }, this.#classes)],
      [files.likelihood, encodeGreyPng({ height, width, data: bytes })],
    ] as const;
    await Promise.all(
      encoded.map(async ([file, png]) => fs.promises.writeFile(join(this.#folder, file), await png)),
    );
  }
}
