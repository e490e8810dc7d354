import type { Mask } from "../../src/api.ts";
import type { Place } from "../pixels/canvas.tsx";
import { UNPAINTED } from "../pixels/compositor.ts";
import { type Bytes, eachStretch, maskOfValue } from "./mask.ts";

/** What a stroke may change. */
export interface StrokeRule {
  /** Painted; 255 makes void, {@link UNPAINTED} takes paint away. */
  readonly value: number;
  /** Only pixels of this label are painted over; null for all. */
  readonly over: number | null;
}

/** Paint over one image: strokes one after another, each of which can be taken back. */
export class Painting {
  readonly bytes: Bytes;
  readonly #label: Uint8Array | null;
  /** What the pixels were before each stroke, by index. */
  readonly #strokes: Map<number, number>[] = [];

  /** @param label - The given label, for painting over one of its classes alone. */
  constructor(size: readonly [height: number, width: number], label: Uint8Array | null) {
    const [height, width] = size;
    this.bytes = { width, height, data: new Uint8Array(width * height).fill(UNPAINTED) };
    this.#label = label;
  }

  get strokes(): number {
    return this.#strokes.length;
  }

  /** Pixels that carry paint. */
  get pixels(): number {
    return this.bytes.data.reduce((sum, value) => sum + Number(value !== UNPAINTED), 0);
  }

  /** Begins a stroke: what is painted from here on is taken back together. */
  begin(): void {
    this.#strokes.push(new Map());
  }

  /** Paints a disc. @param radius - In pixels; less than 1 paints the one pixel. */
  disc({ x, y }: Place, radius: number, rule: StrokeRule): void {
    const reach = Math.ceil(radius);
    const [cx, cy] = [Math.floor(x), Math.floor(y)];
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++)
        if (dx * dx + dy * dy <= radius * radius || (dx === 0 && dy === 0)) this.#set(cx + dx, cy + dy, rule);
  }

  /** Paints discs from one place to another, without gaps. */
  line(from: Place, to: Place, radius: number, rule: StrokeRule): void {
    const steps = Math.max(
      1,
      Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / Math.max(0.5, radius / 2)),
    );
    for (let i = 0; i <= steps; i++)
      this.disc(
        { x: from.x + ((to.x - from.x) * i) / steps, y: from.y + ((to.y - from.y) * i) / steps },
        radius,
        rule,
      );
  }

  /** Paints the pixels whose centres lie inside of a polygon, by the even-odd rule. */
  polygon(points: readonly Place[], rule: StrokeRule): void {
    const rows = points.map(({ y }) => y);
    for (let y = Math.floor(Math.min(...rows)); y <= Math.max(...rows); y++) {
      const crossings = crossingsOf(points, y + 0.5);
      for (let i = 0; i + 1 < crossings.length; i += 2)
        for (let x = Math.ceil(crossings[i]! - 0.5); x + 0.5 < crossings[i + 1]!; x++) this.#set(x, y, rule);
    }
  }

  /** Paints a mask. */
  mask(mask: Mask, rule: StrokeRule): void {
    const { width } = this.bytes;
    eachStretch(mask, width, (start, length) => {
      for (let i = start; i < start + length; i++) this.#set(i % width, Math.floor(i / width), rule);
    });
  }

  /** Paints the pixels of a region that carry its label, and all of that label that hang together with them, side by side. */
  patch(region: Mask, label: number, value: number): void {
    const { width, height, data } = this.bytes;
    const isReached = new Uint8Array(data.length);
    const waiting: number[] = [];
    const reach = (index: number) => {
      if (isReached[index] || this.#label?.[index] !== label) return;
      isReached[index] = 1;
      waiting.push(index);
    };
    eachStretch(region, width, (start, length) => {
      for (let i = start; i < start + length; i++) reach(i);
    });
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      const [x, y] = [index % width, Math.floor(index / width)];
      this.#set(x, y, { value, over: null });
      if (x > 0) reach(index - 1);
      if (x + 1 < width) reach(index + 1);
      if (y > 0) reach(index - width);
      if (y + 1 < height) reach(index + width);
    }
  }

  /** Takes the last stroke back. @returns False if there is none. */
  undo(): boolean {
    const stroke = this.#strokes.pop();
    for (const [index, before] of stroke ?? []) this.bytes.data[index] = before;
    return stroke !== undefined;
  }

  /** What was painted, a mask a class. */
  masks(): { readonly class: number; readonly mask: Mask }[] {
    const values = new Set(this.bytes.data);
    values.delete(UNPAINTED);
    return [...values]
      .sort((a, b) => a - b)
      .map((value) => ({ class: value, mask: maskOfValue(this.bytes, value)! }));
  }

  #set(x: number, y: number, { value, over }: StrokeRule): void {
    const { width, height, data } = this.bytes;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const index = y * width + x;
    if (over !== null && this.#label?.[index] !== over) return;
    const before = data[index]!;
    if (before === value) return;
    const stroke = this.#strokes.at(-1);
    if (stroke && !stroke.has(index)) stroke.set(index, before);
    data[index] = value;
  }
}

/** Where a row crosses the sides of a polygon, rising. */
function crossingsOf(points: readonly Place[], y: number): number[] {
  const crossings: number[] = [];
  points.forEach((from, i) => {
    const to = points[(i + 1) % points.length]!;
    if (from.y <= y === to.y <= y) return;
    crossings.push(from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  });
  return crossings.sort((a, b) => a - b);
}
