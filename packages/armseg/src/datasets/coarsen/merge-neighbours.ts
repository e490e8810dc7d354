import type { LabelImage } from "../sample.ts";
import type { HashRandom } from "../scenes/hash-random.ts";
import { distanceToOther } from "./border-distance.ts";
import { findComponents } from "./components.ts";

/**
 * Closes narrow gaps between regions of one class, as if a group of people or trees were drawn in one go.
 *
 * The gaps are what a closing by discs of the given diameter adds to the class; each connected gap is closed or left
 * at random.
 *
 * @param gap - Widest gap that is closed, in pixels of the labels.
 * @returns Class per pixel, −1 for ignored pixels.
 */
export function mergeNeighbours(
  label: LabelImage,
  classCount: number,
  gap: number,
  probability: number,
  random: HashRandom,
): Int16Array {
  const merged = Int16Array.from(label.data, (value) => (value < classCount ? value : -1));
  if (gap < 1 || probability === 0) {
    return merged;
  }
  const isPresent = new Uint8Array(256);
  for (const value of label.data) {
    isPresent[value] = 1;
  }
  for (let value = 0; value < classCount; value++) {
    if (isPresent[value] === 1) {
      closeGaps_(merged, label, value, gap / 2, probability, random.fork(value));
    }
  }
  return merged;
}

function closeGaps_(
  merged: Int16Array,
  label: LabelImage,
  value: number,
  radius: number,
  probability: number,
  random: HashRandom,
): void {
  const box = boxOf(label, value, Math.ceil(radius) + 1);
  const { height, width } = box;
  const isClass = cut(label, box).map((other) => (other === value ? 1 : 0));
  const outside = distanceToOther({ height, width, data: isClass });
  const isNear = isClass.map((inside, i) => (inside === 1 || outside[i]! <= radius ? 1 : 0));
  const depth = distanceToOther({ height, width, data: isNear });
  const gaps = Int16Array.from(isClass, (inside, i) =>
    inside === 0 && isNear[i] === 1 && depth[i]! > radius ? 0 : -1,
  );
  const { ids, list } = findComponents(gaps, height, width);
  const isClosed = list.map(() => random.chance(probability));
  ids.forEach((id, i) => {
    if (id >= 0 && isClosed[id]) {
      const row = box.top + Math.floor(i / width);
      merged[row * label.width + box.left + (i % width)] = value;
    }
  });
}

interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The smallest box that holds all pixels of a class, with a margin, within the frame. */
function boxOf({ height, width, data }: LabelImage, value: number, margin: number): Box {
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      if (data[at] === value) {
        top = Math.min(top, row);
        bottom = row;
        left = Math.min(left, column);
        right = Math.max(right, column);
      }
    }
  }
  top = Math.max(0, top - margin);
  left = Math.max(0, left - margin);
  return {
    top,
    left,
    height: Math.min(height, bottom + margin + 1) - top,
    width: Math.min(width, right + margin + 1) - left,
  };
}

function cut(label: LabelImage, { top, left, height, width }: Box): Uint8Array {
  const data = new Uint8Array(height * width);
  for (let row = 0; row < height; row++) {
    const from = (top + row) * label.width + left;
    data.set(label.data.subarray(from, from + width), row * width);
  }
  return data;
}
