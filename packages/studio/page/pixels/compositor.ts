import type { ClassColor } from "../../src/api.ts";
import type { Pixels } from "../core/server.ts";
import { LAYERS, type Layer, type Look, type Viewport } from "./look.ts";
import { FRAGMENT, VERTEX } from "./shader.ts";

/** What is known of an image, pixel by pixel. */
export interface Planes {
  readonly size: readonly [height: number, width: number];
  readonly image: Pixels | null;
  readonly label: Pixels | null;
  readonly prediction: Pixels | null;
  readonly confidence: Pixels | null;
  /** An audit keeps the likelihood of the prediction, 0 to 1, in the place of the confidence, -1 to 1. */
  readonly isLikelihood: boolean;
}

/** In the order of their texture units. */
const TEXTURES = [
  "image",
  "label",
  "prediction",
  "confidence",
  "paint",
  "classTable",
  "weights",
  "ramp",
] as const;
type TextureName = (typeof TEXTURES)[number];

/** Class 254 cannot be: it marks what is not painted. */
export const UNPAINTED = 254;
const VOID_COLOR = [200, 200, 200] as const;

/** Anchors of the viridis colour map. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** The colour of a share in [0, 1], 0..255: dark blue over green to yellow. */
export function viridis(share: number): [number, number, number] {
  const position = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const index = Math.min(VIRIDIS.length - 2, Math.floor(position));
  const [from, to] = [VIRIDIS[index]!, VIRIDIS[index + 1]!];
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (position - index) * (to[i] - from[i]));
  return [mix(0), mix(1), mix(2)];
}

/** Composes an image and its layers on the GPU: planes of bytes go there once, and every change of the look is one draw. */
export class Compositor {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #textures = new Map<TextureName, WebGLTexture>();
  readonly #uniforms = new Map<string, WebGLUniformLocation | null>();
  #planes: Planes | null = null;
  #hasPaint = false;

  /** @throws {Error} If the browser has no WebGL2. */
  constructor(canvas: HTMLCanvasElement) {
    // Kept after drawing, so that what is seen can be read back and saved.
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("This browser has no WebGL2, which Studio draws images with.");
    this.#gl = gl;
    this.#program = program(gl);
    gl.useProgram(this.#program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    TEXTURES.forEach((name, unit) => {
      this.#textures.set(name, texture(gl, unit));
      gl.uniform1i(this.#at(name), unit);
    });
    this.#table(
      "ramp",
      Uint8Array.from({ length: 1024 }, (_, i) => [...viridis((i >> 2) / 255), 255][i & 3]!),
    );
    this.setWeights(null);
    this.setClasses([], null);
    this.#bytes("paint", null);
  }

  /** Shows another image. */
  setPlanes(planes: Planes | null): void {
    this.#planes = planes;
    const gl = this.#gl;
    this.#bind("image");
    const { width, height, data } = planes?.image ?? { width: 1, height: 1, data: new Uint8Array(3) };
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, width, height, 0, gl.RGB, gl.UNSIGNED_BYTE, data);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.generateMipmap(gl.TEXTURE_2D);
    for (const name of ["label", "prediction", "confidence"] as const)
      this.#bytes(name, planes?.[name] ?? null);
  }

  /** @param only - A class to show alone, 255 for void; null for all. */
  setClasses(classes: readonly ClassColor[], only: number | null): void {
    const table = new Uint8Array(1024);
    for (let i = 0; i < 256; i++) {
      table.set(classes[i]?.color ?? VOID_COLOR, 4 * i);
      table[4 * i + 3] = only === null || only === i ? 255 : 0;
    }
    this.#table("classTable", table);
  }

  /** @param weights - Of the 256 confidences, relative to the mean; null for 1 everywhere. Twice the mean is brightest. */
  setWeights(weights: readonly number[] | null): void {
    const table = new Uint8Array(1024);
    for (let i = 0; i < 256; i++)
      table[4 * i] = Math.round(127.5 * Math.min(2, Math.max(0, weights?.[i] ?? 1)));
    this.#table("weights", table);
  }

  /** @param paint - A class a pixel, {@link UNPAINTED} where nothing is painted; null for no paint at all. */
  setPaint(paint: Pixels | null): void {
    this.#hasPaint = paint !== null;
    this.#bytes("paint", paint);
  }

  /** Draws. @param view - In pixels of the canvas, not of the page. */
  draw(look: Look, view: Viewport, background: readonly number[]): void {
    const gl = this.#gl;
    const { width, height } = gl.canvas;
    const planes = this.#planes;
    const [rows, columns] = planes?.size ?? [0, 0];
    gl.viewport(0, 0, width, height);
    gl.uniform2f(this.#at("size"), columns, rows);
    gl.uniform2f(this.#at("canvas"), width, height);
    gl.uniform3f(this.#at("view"), view.x, view.y, view.scale);
    gl.uniform1fv(
      this.#at("opacity"),
      LAYERS.map((layer) => (look.isHidden ? 0 : look.opacity[layer])),
    );
    gl.uniform1f(this.#at("imageOpacity"), look.image);
    const { image, label, prediction, confidence } = usedPlanes(planes, look);
    gl.uniform4i(this.#at("has"), Number(image), Number(label), Number(prediction), Number(confidence));
    gl.uniform1i(this.#at("isMagnified"), Number(view.scale >= 1));
    gl.uniform1i(this.#at("hasPaint"), Number(this.#hasPaint && !look.isHidden));
    const [low, high] = look.range.map((u) => Math.round(127.5 * (u + 1))) as [number, number];
    gl.uniform2ui(this.#at("range"), low, high);
    gl.uniform1i(this.#at("isLit"), Number(look.isLit && !look.isHidden));
    gl.uniform3fv(
      this.#at("background"),
      background.map((value) => value / 255),
    );
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Gives the memory back at once. */
  dispose(): void {
    for (const made of this.#textures.values()) this.#gl.deleteTexture(made);
    this.#gl.deleteProgram(this.#program);
  }

  #at(name: string): WebGLUniformLocation | null {
    if (!this.#uniforms.has(name)) this.#uniforms.set(name, this.#gl.getUniformLocation(this.#program, name));
    return this.#uniforms.get(name)!;
  }

  #bind(name: TextureName): void {
    this.#gl.activeTexture(this.#gl.TEXTURE0 + TEXTURES.indexOf(name));
  }

  #bytes(name: TextureName, plane: Pixels | null): void {
    const gl = this.#gl;
    this.#bind(name);
    const { width, height, data } = plane ?? { width: 1, height: 1, data: new Uint8Array([255]) };
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, data);
  }

  #table(name: TextureName, data: Uint8Array): void {
    const gl = this.#gl;
    this.#bind(name);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
  }
}

/** The planes that are there and change what is seen: the others are not even read. */
function usedPlanes(planes: Planes | null, { opacity, range, isHidden }: Look) {
  const isOn = (...layers: Layer[]) => !isHidden && layers.some((layer) => opacity[layer] > 0);
  const isRanged = range[0] > -1 || range[1] < 1;
  return {
    image: Boolean(planes?.image),
    label: Boolean(planes?.label) && isOn("label", "weight", "disagreement"),
    prediction: Boolean(planes?.prediction) && isOn("prediction", "disagreement"),
    confidence: Boolean(planes?.confidence) && (isRanged || isOn("confidence", "weight")),
  };
}

function texture(gl: WebGL2RenderingContext, unit: number): WebGLTexture {
  const made = gl.createTexture()!;
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
    gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  return made;
}

function program(gl: WebGL2RenderingContext): WebGLProgram {
  const made = gl.createProgram()!;
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS))
      throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(made, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "program");
  return made;
}
