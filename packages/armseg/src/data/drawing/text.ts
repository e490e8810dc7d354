import type { RgbImage } from "../sample.ts";

/** Columns of the 5×7 dot matrix letters from space to tilde, five bytes each, lowest bit on top. */
const GLYPHS = Buffer.from(
  "000000000000005f00000007000700147f147f14242a7f2a12231308646236495620500008070300" +
    "001c22410000" +
    "41221c002a1c7f1c2a08083e08080080703000" +
    "0808080808000060600020100804023e5149453e" +
    "00427f400072494949462141494d331814127f1027454545393c4a4949314121110907" +
    "3649494936464949291e00001400000040340000000814224114141414140041221408020159" +
    "09063e415d594e7c1211127c7f494949363e414141227f4141413e7f494949417f09090901" +
    "3e414151737f0808087f00417f41002040413f017f081422417f404040407f021c027f" +
    "7f0408107f3e4141413e7f090909063e4151215e7f09192946264949493203017f01033f4040403f" +
    "1f2040201f3f4038403f631408146303047804036159494d43007f4141410204081020004141417f" +
    "040201020440404040400003070800205454784" +
    "07f2844443838444444283844" +
    "44287f3854545418" +
    "00087e090218a4a49c787f0804047800447d400020403d00007f1028440000417f4000" +
    "7c047804787c08040478384444443" +
    "8fc182424181824" +
    "2418fc7c08040408485454542404043f44243c4040207c" +
    "1c2040201c3c4030403c44281028444c9090907c4464544c4400083641000000770000004136080002" +
    "01020402",
  "hex",
);
const FIRST = 0x20;
const LAST = 0x7e;

/** Advance of a letter and height of a line, in dots. */
export const LETTER_WIDTH = 6;
export const LINE_HEIGHT = 10;

/** Width of a line of text in pixels. */
export function textWidth(text: string, scale = 1): number {
  return [...text].length * LETTER_WIDTH * scale;
}

/**
 * Writes a line of text onto a picture in place, in a dot matrix font of its own so that no system font is needed.
 *
 * Letters beyond ASCII appear as `?`; what falls outside the picture is cut off.
 *
 * @param left - Column of the first dot.
 * @param top - Row of the first dot.
 * @param scale - Pixels a dot. Default 1.
 */
export function drawText_(
  image: RgbImage,
  text: string,
  left: number,
  top: number,
  color: readonly [number, number, number],
  scale = 1,
): void {
  [...text].forEach((letter, i) => {
    const code = letter.codePointAt(0)!;
    const glyph = 5 * ((code < FIRST || code > LAST ? 0x3f : code) - FIRST);
    for (let column = 0; column < 5; column++) {
      for (let row = 0; row < 8; row++) {
        if ((GLYPHS[glyph + column]! >> row) & 1) {
          fillRectangle_(
            image,
            left + (i * LETTER_WIDTH + column) * scale,
            top + row * scale,
            scale,
            scale,
            color,
          );
        }
      }
    }
  });
}

/** Fills a rectangle of a picture in place; what falls outside is cut off. */
export function fillRectangle_(
  image: RgbImage,
  left: number,
  top: number,
  width: number,
  height: number,
  color: readonly [number, number, number],
): void {
  const right = Math.min(image.width, left + width);
  const bottom = Math.min(image.height, top + height);
  for (let row = Math.max(0, top); row < bottom; row++) {
    for (let column = Math.max(0, left); column < right; column++) {
      image.data.set(color, 3 * (row * image.width + column));
    }
  }
}
