import type { Region } from "../sample.ts";
import { numberOf, textOf, type XmlElement } from "./cvat-file.ts";
import { cvatShape, WITHOUT_AREA } from "./cvat-shapes.ts";

/** A region with its place in the painting order. */
export interface LayeredRegion extends Region {
  readonly zOrder: number;
}

/**
 * The regions of each frame of a CVAT video export, from its tracks.
 *
 * CVAT writes every frame of a track. Where frames between two are missing (key frames only), boxes are interpolated linearly; other shapes are an error.
 *
 * @param step - Frames from one exported frame to the next.
 * @param wanted - Numbers of the frames that there are images of: no others are interpolated, however far key frames lie apart.
 * @returns Frame number to regions; a frame that a track names is in it even if nothing is visible there.
 * @throws If a shape is damaged, or key frames of a shape other than a box leave a gap.
 */
export function trackRegions(
  tracks: readonly XmlElement[],
  step: number,
  wanted: ReadonlySet<number>,
): Map<number, LayeredRegion[]> {
  const ordered = [...wanted].sort((a, b) => a - b);
  const frames = new Map<number, LayeredRegion[]>();
  for (const track of tracks) {
    const shapes = track.children.filter((child) => child.tag !== "attribute");
    shapes.forEach((shape, i) => {
      addShape(frames, track, shape, numberOf(shape, "frame"));
      const next = shapes[i + 1];
      if (next && isVisible(shape) && !WITHOUT_AREA.has(shape.tag)) {
        fillGap(frames, track, shape, next, step, ordered);
      }
    });
  }
  return frames;
}

function isVisible(shape: XmlElement): boolean {
  return shape.attributes.outside !== "1";
}

function addShape(
  frames: Map<number, LayeredRegion[]>,
  track: XmlElement,
  shape: XmlElement,
  frame: number,
): void {
  const regions = frames.get(frame) ?? [];
  frames.set(frame, regions);
  const region = isVisible(shape) ? cvatShape(shape) : undefined;
  if (region)
    regions.push({ label: textOf(track, "label"), shape: region, zOrder: numberOf(shape, "z_order", 0) });
}

function fillGap(
  frames: Map<number, LayeredRegion[]>,
  track: XmlElement,
  from: XmlElement,
  to: XmlElement,
  step: number,
  wanted: readonly number[],
): void {
  const [first, last] = [numberOf(from, "frame"), numberOf(to, "frame")];
  if (first + step >= last) return;
  if (from.tag !== "box" || to.tag !== "box")
    throw new Error(
      `track ${track.attributes.id} has key frames ${first} and ${last} of a ${from.tag} only; export it with interpolated frames`,
    );
  for (const frame of wanted) {
    if (frame <= first || frame >= last || (frame - first) % step !== 0) continue;
    // A box that vanishes at the next key frame stays where it was until then.
    const share = isVisible(to) ? (frame - first) / (last - first) : 0;
    addShape(frames, track, between(from, to, share), frame);
  }
}

function between(from: XmlElement, to: XmlElement, share: number): XmlElement {
  const corners = ["xtl", "ytl", "xbr", "ybr"].map((name) => {
    const start = numberOf(from, name);
    return [name, String(start + share * (numberOf(to, name) - start))];
  });
  return { ...from, attributes: { ...from.attributes, ...Object.fromEntries(corners) } };
}
