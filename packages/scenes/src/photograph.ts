import type { Canvas } from "./canvas.ts";
import type { HashRandom } from "./hash-random.ts";
import { scale } from "./light.ts";
import type { Scene, SceneImage, SceneLabel } from "./scene.ts";

/** Samples per pixel along each axis of the picture. */
export const SUPERSAMPLING = 2;

/** Red, green, blue, one after the other, in [0, 1] as displayed. */
type Planes = readonly [Float32Array, Float32Array, Float32Array];

/** Takes the picture: haze, exposure, white balance, lens blur, sensor noise and the softened colour of JPEG. */
export function photograph(scene: Scene, random: HashRandom): SceneImage {
  const height = scene.canvas.height / SUPERSAMPLING;
  const width = scene.canvas.width / SUPERSAMPLING;
  const planes = gather(scene, height, width);
  develop_(planes, height, width, random);
  const sigma = (height / 256) * (random.chance(0.12) ? random.uniform(0.8, 1.4) : random.uniform(0, 0.7));
  for (const plane of planes) {
    blur_(plane, height, width, sigma);
  }
  addNoise_(planes, random);
  return quantise(planes, height, width, random.chance(0.6));
}

/** Averages the samples of each pixel in linear light, with the haze before them. */
function gather(scene: Scene, height: number, width: number): Planes {
  const { canvas, light } = scene;
  const planes = [0, 1, 2].map(() => new Float32Array(height * width)) as unknown as Planes;
  const [red, green, blue] = planes;
  const [hazeRed, hazeGreen, hazeBlue] = scale(light.haze, 0.8);
  for (let row = 0, at = 0; row < canvas.height; row++) {
    const start = (row >> 1) * width;
    for (let column = 0; column < canvas.width; column++, at++) {
      const to = start + (column >> 1);
      const clear =
        0.25 * (canvas.depth[at]! < Infinity ? Math.exp(-light.hazeDensity * canvas.depth[at]!) : 1);
      const veil = 0.25 - clear;
      red[to]! += canvas.red[at]! * clear + hazeRed * veil;
      green[to]! += canvas.green[at]! * clear + hazeGreen * veil;
      blue[to]! += canvas.blue[at]! * clear + hazeBlue * veil;
    }
  }
  return planes;
}

/** Exposure by the mean luminance, a shoulder for the highlights, white balance, vignetting and gamma, in place. */
function develop_(planes: Planes, height: number, width: number, random: HashRandom): void {
  const [red, green, blue] = planes;
  let sum = 0;
  for (let i = 0; i < red.length; i++) {
    sum += 0.3 * red[i]! + 0.6 * green[i]! + 0.1 * blue[i]!;
  }
  const exposure = random.uniform(0.28, 0.55) / (sum / red.length + 1e-4);
  const warmth = random.normal() * 0.06;
  const gains = [exposure * (1 + warmth), exposure, exposure * (1 - warmth)];
  const vignette = random.uniform(0, 0.3);
  const saturation = random.uniform(0.75, 1.15);
  const black = random.uniform(0, 0.05);
  for (let row = 0; row < height; row++) {
    const dy = (row + 0.5) / height - 0.5;
    for (let column = 0; column < width; column++) {
      const dx = (column + 0.5) / width - 0.5;
      const fall = 1 - vignette * (dx * dx + dy * dy) * 2;
      const at = row * width + column;
      const r = Math.sqrt(1 - Math.exp(-red[at]! * gains[0]! * fall));
      const g = Math.sqrt(1 - Math.exp(-green[at]! * gains[1]! * fall));
      const b = Math.sqrt(1 - Math.exp(-blue[at]! * gains[2]! * fall));
      const grey = 0.3 * r + 0.6 * g + 0.1 * b;
      red[at] = black + (1 - black) * (grey + saturation * (r - grey));
      green[at] = black + (1 - black) * (grey + saturation * (g - grey));
      blue[at] = black + (1 - black) * (grey + saturation * (b - grey));
    }
  }
}

/** Separable Gaussian blur in place; the border repeats. */
function blur_(plane: Float32Array, height: number, width: number, sigma: number): void {
  if (sigma < 0.2) {
    return;
  }
  const reach = Math.ceil(2.5 * sigma);
  const kernel = Array.from({ length: reach + 1 }, (_, i) => Math.exp((-i * i) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, k, i) => sum + (i === 0 ? k : 2 * k), 0);
  const weights = Float64Array.from(kernel, (k) => k / total);
  const line = new Float32Array(Math.max(height, width));
  const pass = (count: number, length: number, stride: number, step: number): void => {
    for (let i = 0; i < count; i++) {
      const start = i * stride;
      for (let j = 0; j < length; j++) {
        let sum = plane[start + j * step]! * weights[0]!;
        for (let k = 1; k <= reach; k++) {
          const before = plane[start + Math.max(0, j - k) * step]!;
          const after = plane[start + Math.min(length - 1, j + k) * step]!;
          sum += weights[k]! * (before + after);
        }
        line[j] = sum;
      }
      for (let j = 0; j < length; j++) {
        plane[start + j * step] = line[j]!;
      }
    }
  };
  pass(height, width, width, 1);
  pass(width, height, 1, width);
}

/** Adds nearly normal noise (a sum of four uniform bytes), stronger in dark parts, in place. */
function addNoise_(planes: Planes, random: HashRandom): void {
  const sigma = random.chance(0.2) ? random.uniform(0.02, 0.045) : random.uniform(0.003, 0.018);
  for (const plane of planes) {
    for (let i = 0; i < plane.length; i++) {
      const bits = random.bits();
      const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
      plane[i]! += sigma * (1.3 - 0.7 * plane[i]!) * ((sum - 510) / 148);
    }
  }
}

/** Bytes; with `soft`, colour differences are averaged over 2×2 pixels, much as JPEG's 4:2:0 does. */
function quantise([red, green, blue]: Planes, height: number, width: number, soft: boolean): SceneImage {
  const data = new Uint8Array(height * width * 3);
  for (let row = 0; row < height; row++) {
    const below = soft && row + 1 < height ? width : 0;
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      const right = soft && column + 1 < width ? 1 : 0;
      const both = right + below;
      const r = (red[at]! + red[at + right]! + red[at + below]! + red[at + both]!) / 4;
      const g = (green[at]! + green[at + right]! + green[at + below]! + green[at + both]!) / 4;
      const b = (blue[at]! + blue[at + right]! + blue[at + below]! + blue[at + both]!) / 4;
      // The colour of four pixels with the brightness of one.
      const change = lumaOf(red[at]!, green[at]!, blue[at]!) - lumaOf(r, g, b);
      data[3 * at] = toByte(r + change);
      data[3 * at + 1] = toByte(g + change);
      data[3 * at + 2] = toByte(b + change);
    }
  }
  return { height, width, data };
}

function lumaOf(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

function toByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value * 255)));
}

/** Class of each pixel: what covers most of its samples, the nearer one where two cover as many. */
export function labelsOf(canvas: Canvas): SceneLabel {
  const height = canvas.height / SUPERSAMPLING;
  const width = canvas.width / SUPERSAMPLING;
  const data = new Uint8Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = 2 * row * canvas.width + 2 * column;
      data[row * width + column] = majority(canvas, [at, at + 1, at + canvas.width, at + canvas.width + 1]);
    }
  }
  return { height, width, data };
}

function majority(canvas: Canvas, samples: readonly [number, number, number, number]): number {
  const { label, depth } = canvas;
  const [a, b, c, d] = samples;
  if (label[a] === label[b] && label[a] === label[c] && label[a] === label[d]) {
    return label[a]!;
  }
  let best = a;
  let most = 0;
  for (const at of samples) {
    let votes = 0;
    for (const other of samples) {
      votes += label[other] === label[at] ? 1 : 0;
    }
    if (votes > most || (votes === most && depth[at]! < depth[best]!)) {
      best = at;
      most = votes;
    }
  }
  return label[best]!;
}
