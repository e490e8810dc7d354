import type { Tensor } from "@armseg/torch";
import { tidy } from "@armseg/torch";
import type { RowSource } from "./row-source.ts";

/** Logits hold NaN or infinity, and no class can be told: the network has diverged, or its input is broken. */
export class NonFiniteLogitsError extends Error {
  override readonly name = "NonFiniteLogitsError";
  readonly code = "ERR_NON_FINITE_LOGITS";
}

/** Returns whether this is what went wrong, by the class or by the words of the kernels. */
export function isNonFiniteLogits(error: unknown): boolean {
  return (
    error instanceof NonFiniteLogitsError ||
    (error instanceof Error && error.message.includes("the logits hold NaN or infinity"))
  );
}

/** Memory that a band of rows may take with its intermediate results: 64 MiB. */
export const BAND_BYTES = 2 ** 26;

/** Returns how many rows of a map are computed at once. */
export function bandRows({ size, rowBytes }: RowSource, bandBytes = BAND_BYTES): number {
  return Math.max(1, Math.min(size[0], Math.floor(bandBytes / rowBytes)));
}

/**
 * Reduces a map band by band to one or several numbers per pixel.
 *
 * @param reduce - `[N, C, rows, W]`, and which rows it is, to maps `[N, rows, W]`.
 * @returns The whole maps, `[N, H, W]` each.
 */
export function collectRows(
  source: RowSource,
  reduce: (band: Tensor, from: number, to: number) => readonly Tensor[],
  bandBytes?: number,
): Tensor[] {
  let whole: Tensor[] | undefined;
  const [height, width] = source.size;
  const step = bandRows(source, bandBytes);
  for (let from = 0; from < height; from += step) {
    const to = Math.min(height, from + step);
    whole = tidy(() => {
      const bands = reduce(source.rows(from, to), from, to);
      const maps = whole ?? bands.map((band) => band.newEmpty([source.images, height, width]));
      for (const [i, band] of bands.entries()) maps[i]!.narrow(1, from, to - from).copy_(band);
      return maps;
    });
  }
  return whole as Tensor[];
}

/** Returns the class of the greatest value of each pixel, uint8 `[N, H, W]`. @throws {NonFiniteLogitsError} If a value is NaN or infinite. */
export function labelsOfRows(source: RowSource, bandBytes?: number): Tensor {
  return collectRows(source, (band, from) => [labelsOfBand(band, from)], bandBytes)[0] as Tensor;
}

/**
 * Returns the class of the greatest value of each pixel of some rows, uint8 `[N, rows, W]`.
 *
 * @throws {NonFiniteLogitsError} If a value is NaN or infinite: no class can be told then.
 */
export function labelsOfBand(band: Tensor, from: number): Tensor {
  if (band.isfinite().all().item()) return band.argmax(1).to(band.device, "uint8");
  throw new NonFiniteLogitsError(
    `labelsOfBand(): expected finite logits, got NaN or infinity at or below row ${from}; ` +
      "the network has diverged, or its input is broken.",
  );
}
