import { viridis } from "armseg/viridis";
import type { ClassColor } from "../../src/api.ts";
import type { Pixels } from "../core/server.ts";
import { LAYERS, type Layer, type Look, type Viewport } from "./look.ts";
import { type Feature, fragmentShader, VERTEX } from "./shader.ts";

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

/** Composes an image and its layers on the GPU: planes of bytes go there once, and every change of the look is one draw. */
export class Compositor {
  readonly #gl: WebGL2RenderingContext;
  /** By the features that they have. */
  readonly #programs = new Map<string, Program>();
  readonly #textures = new Map<TextureName, WebGLTexture>();
  #planes: Planes | null = null;
  #hasPaint = false;

  /** @throws {Error} If the browser has no WebGL2. */
  constructor(canvas: HTMLCanvasElement) {
    // Kept after drawing, so that what is seen can be read back and saved.
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("This browser has no WebGL2, which Studio draws images with.");
    this.#gl = gl;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    TEXTURES.forEach((name, unit) => {
      this.#textures.set(name, texture(gl, unit));
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
    const used = this.#use(features(planes, look, view, this.#hasPaint));
    gl.viewport(0, 0, width, height);
    gl.uniform2f(used.at("size"), columns, rows);
    gl.uniform2f(used.at("canvas"), width, height);
    gl.uniform3f(used.at("view"), view.x, view.y, view.scale);
    gl.uniform1fv(
      used.at("opacity"),
      LAYERS.map((layer) => look.opacity[layer]),
    );
    gl.uniform1f(used.at("imageOpacity"), look.image);
    const [low, high] = look.range.map((u) => Math.round(127.5 * (u + 1))) as [number, number];
    gl.uniform2ui(used.at("range"), low, high);
    gl.uniform3fv(
      used.at("background"),
      background.map((value) => value / 255),
    );
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Gives the memory back at once. */
  dispose(): void {
    for (const made of this.#textures.values()) this.#gl.deleteTexture(made);
    for (const { program } of this.#programs.values()) this.#gl.deleteProgram(program);
  }

  #use(wanted: ReadonlySet<Feature>): Program {
    const key = [...wanted].join(" ");
    const used = this.#programs.get(key) ?? makeProgram(this.#gl, wanted);
    this.#programs.set(key, used);
    this.#gl.useProgram(used.program);
    return used;
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

/** What has to be computed; planes that change nothing are not even read. */
function features(planes: Planes | null, look: Look, view: Viewport, hasPaint: boolean): Set<Feature> {
  const { opacity, range, isHidden, isLit } = look;
  const isOn = (layer: Layer) => !isHidden && opacity[layer] > 0;
  const [hasLabel, hasPrediction, hasConfidence] = [
    planes?.label,
    planes?.prediction,
    planes?.confidence,
  ].map(Boolean);
  const isRanged = hasConfidence && !isHidden && (range[0] > -1 || range[1] < 1);
  const all: Readonly<Record<Feature, unknown>> = {
    IMAGE: planes?.image,
    MAGNIFIED: view.scale >= 1,
    SHOW_LABEL: hasLabel && isOn("label"),
    SHOW_PREDICTION: hasPrediction && isOn("prediction"),
    SHOW_CONFIDENCE: hasConfidence && isOn("confidence"),
    SHOW_WEIGHT: hasConfidence && isOn("weight"),
    SHOW_DISAGREEMENT: hasLabel && hasPrediction && isOn("disagreement"),
    LABEL: hasLabel && (isOn("label") || isOn("weight") || isOn("disagreement")),
    PREDICTION: hasPrediction && (isOn("prediction") || isOn("disagreement")),
    CONFIDENCE: hasConfidence && (isRanged || isOn("confidence") || isOn("weight")),
    RANGED: isRanged,
    LIT: isRanged && isLit,
    PAINT: hasPaint && !isHidden,
  };
  return new Set((Object.keys(all) as Feature[]).filter((name) => all[name]));
}

/** A shader with the places of its uniforms. */
interface Program {
  readonly program: WebGLProgram;
  readonly at: (name: string) => WebGLUniformLocation | null;
}

function makeProgram(gl: WebGL2RenderingContext, wanted: ReadonlySet<Feature>): Program {
  const program = linked(gl, fragmentShader(wanted));
  const places = new Map<string, WebGLUniformLocation | null>();
  const at = (name: string) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
    return places.get(name)!;
  };
  gl.useProgram(program);
  TEXTURES.forEach((name, unit) => {
    gl.uniform1i(at(name), unit);
  });
  return { program, at };
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

function linked(gl: WebGL2RenderingContext, fragment: string): WebGLProgram {
  const made = gl.createProgram()!;
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, fragment],
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
