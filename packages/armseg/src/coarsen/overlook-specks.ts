import { findComponents } from "../core/components.ts";

const SEVERAL = -2;

/**
 * Gives specks that lie wholly within one region to that region, in place: nobody in a hurry sees them.
 *
 * @param classes - Class per pixel, −1 for ignored pixels; specks may be either.
 * @param largest - Area up to which a connected component is a speck, in pixels.
 */
export function overlookSpecks_(classes: Int16Array, height: number, width: number, largest: number): void {
  const { ids, list } = findComponents(
    classes.map((value) => value + 1),
    height,
    width,
  );
  const around = new Int16Array(list.length).fill(-1);
  const meet = (at: number, other: number): void => {
    const id = ids[at]!;
    if (list[id]!.area <= largest && id !== ids[other]) {
      const neighbour = list[ids[other]!]!.area > largest ? list[ids[other]!]!.value : SEVERAL;
      around[id] = around[id] === -1 || around[id] === neighbour ? neighbour : SEVERAL;
    }
  };
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      if (column > 0) {
        meet(at, at - 1);
        meet(at - 1, at);
      }
      if (row > 0) {
        meet(at, at - width);
        meet(at - width, at);
      }
    }
  }
  ids.forEach((id, at) => {
    if (around[id]! > 0) {
      classes[at] = around[id]! - 1;
    }
  });
}
