import type { Pixels } from "./input.ts";
import type { Answer, Backend, Request, Results } from "./messages.ts";
import type { ModelClass, ModelMetadata } from "./metadata.ts";

export type { Backend } from "./messages.ts";
export type { ModelClass, ModelMetadata } from "./metadata.ts";

export interface SegmenterOptions {
  /** Default: `webgpu` where the browser has it, else `wasm`. */
  readonly backend?: Backend;
}

/** What a model says of an image. */
export interface Segmentation {
  readonly height: number;
  readonly width: number;
  /** Index into {@link Segmenter.classes} of each pixel, row by row. */
  readonly classes: Uint8Array;
}

/** An image in any form that a browser has. */
export type ImageLike =
  | Blob
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap;

/** A model in a thread of its own. */
export interface Segmenter {
  readonly metadata: ModelMetadata;
  readonly classes: readonly ModelClass[];
  readonly backend: Backend;
  /** Segments an image at its own size. Calls are answered in their order. @throws {Error} If the image cannot be decoded, or the model fails. */
  segment(image: ImageLike): Promise<Segmentation>;
  /** Ends the thread and frees the model. */
  dispose(): void;
}

/**
 * Loads a model that `armseg export` wrote.
 *
 * @example
 * const segmenter = await createSegmenter("model.onnx");
 * const { classes, height, width } = await segmenter.segment(document.querySelector("img"));
 * @throws {Error} If the model cannot be fetched or run, or was not written by `armseg export`.
 */
export async function createSegmenter(url: string | URL, options: SegmenterOptions = {}): Promise<Segmenter> {
  const backend = options.backend ?? ("gpu" in navigator && (await hasAdapter()) ? "webgpu" : "wasm");
  const thread = new Thread();
  try {
    const address = new URL(url, document.baseURI).href;
    const metadata = await thread.ask("load", { url: address, backend });
    return {
      metadata,
      classes: metadata.classes,
      backend,
      segment: async (image) => {
        const pixels = await pixelsOf(image);
        const classes = await thread.ask("segment", { pixels });
        return { height: pixels.height, width: pixels.width, classes };
      },
      dispose: () => thread.end(),
    };
  } catch (error) {
    thread.end();
    throw error;
  }
}

/** Some browsers have the interface and no card behind it. */
async function hasAdapter(): Promise<boolean> {
  const { gpu } = navigator as unknown as { gpu: { requestAdapter(): Promise<object | null> } };
  return (await gpu.requestAdapter().catch(() => null)) !== null;
}

interface Waiting {
  resolve(result: never): void;
  reject(error: Error): void;
}

/** Asks the worker, which answers in its own time. */
class Thread {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#answer(data);
    this.#worker.onerror = ({ message }) =>
      this.#fail(new Error(`the segmenter's thread failed: ${message}`));
  }

  ask<K extends keyof Results>(
    kind: K,
    fields: Omit<Extract<Request, { kind: K }>, "kind" | "id">,
  ): Promise<Results[K]> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ kind, id, ...fields });
    });
  }

  end(): void {
    this.#worker.terminate();
    this.#fail(new Error("the segmenter was disposed"));
  }

  #answer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("error" in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result as never);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Returns an image's pixels as they are in the file: no colour profile applied, alpha not multiplied in. */
async function pixelsOf(image: ImageLike): Promise<Pixels> {
  if (image instanceof ImageData) return image;
  const bitmap = await createImageBitmap(image, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
