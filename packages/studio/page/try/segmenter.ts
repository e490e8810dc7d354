import type { ClassColor } from "../../src/api.ts";

/** What is used of `armseg-web`, which is fetched when it is needed, and only where it is installed. */
export interface Segmenter {
  readonly classes: readonly ClassColor[];
  readonly backend: string;
  segment(image: ImageData): Promise<{ height: number; width: number; classes: Uint8Array }>;
  dispose(): void;
}

interface WebPackage {
  createSegmenter(url: string): Promise<Segmenter>;
}

/** Returns the package; null where it is not installed. */
export async function loadWebPackage(): Promise<WebPackage | null> {
  const address = new URL("web/index.js", document.baseURI).href;
  const { ok } = await fetch(address, { method: "GET" });
  return ok ? ((await import(/* @vite-ignore */ address)) as WebPackage) : null;
}

/** Loads a model from a file of the user's; it never leaves the browser. */
export async function openModel(web: WebPackage, file: Blob): Promise<Segmenter> {
  const url = URL.createObjectURL(file);
  try {
    return await web.createSegmenter(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Returns an image's pixels as they are in its file. */
export async function readPicture(file: Blob): Promise<ImageData> {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
