import type { PngImage } from "./png.ts";

/**
 * Returns where a PNG's alpha is 0: in its alpha channel, at the indices or at the one colour that its tRNS chunk names.
 *
 * @returns `[height, width]`, 1 where the alpha is 0; undefined where no pixel's is.
 */
export function transparentPixels(png: PngImage): Uint8Array | undefined {
  if (png.channels === 2 || png.channels === 4) return underAlpha(png);
  const { transparency } = png;
  if (!transparency) return undefined;
  if (png.colorType === 3) return where(png, (at) => transparency[png.data[at]!] === 0);
  const key = Array.from(
    { length: png.channels },
    (_, c) => ((transparency[2 * c] ?? 0) << 8) | (transparency[2 * c + 1] ?? 0),
  );
  return where(png, (at) => key.every((sample, c) => png.data[at + c] === sample));
}

function underAlpha({ data, channels, height, width }: PngImage): Uint8Array | undefined {
  const out = new Uint8Array(height * width);
  let any = 0;
  for (let i = 0, o = channels - 1; i < out.length; i++, o += channels) {
    const isTransparent = data[o] === 0 ? 1 : 0;
    out[i] = isTransparent;
    any |= isTransparent;
  }
  return any ? out : undefined;
}

function where(
  { channels, height, width }: PngImage,
  isTransparent: (at: number) => boolean,
): Uint8Array | undefined {
  const out = new Uint8Array(height * width);
  let any = false;
  for (let i = 0; i < out.length; i++)
    if (isTransparent(i * channels)) {
      out[i] = 1;
      any = true;
    }
  return any ? out : undefined;
}
