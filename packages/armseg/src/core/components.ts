/** A connected set of pixels that share a value. */
export interface Component {
  readonly value: number;
  readonly area: number;
  readonly top: number;
  readonly left: number;
  /** Last row and column that belong to it. */
  readonly bottom: number;
  readonly right: number;
}

/** Number of its component for each pixel (−1 where there is none), and the components by number. */
export interface Components {
  readonly ids: Int32Array;
  readonly list: readonly Component[];
}

/**
 * Connected components (4 neighbours) of equal values, numbered in reading order of their first pixels.
 *
 * @param values - Row-major; negative values belong to no component.
 */
export function findComponents(values: Int32Array | Int16Array, height: number, width: number): Components {
  const ids = new Int32Array(height * width).fill(-1);
  const list: Component[] = [];
  const stack = new Int32Array(height * width);
  for (let start = 0; start < values.length; start++) {
    if (values[start]! >= 0 && ids[start] === -1) {
      list.push(flood(values, ids, stack, start, list.length, width));
    }
  }
  return { ids, list };
}

function flood(
  values: Int32Array | Int16Array,
  ids: Int32Array,
  stack: Int32Array,
  start: number,
  id: number,
  width: number,
): Component {
  const value = values[start]!;
  let [top, bottom, left, right, area] = [Infinity, -1, Infinity, -1, 0];
  let size = 0;
  const visit = (at: number): void => {
    if (values[at] === value && ids[at] === -1) {
      ids[at] = id;
      stack[size++] = at;
    }
  };
  visit(start);
  while (size > 0) {
    const at = stack[--size]!;
    const row = Math.floor(at / width);
    const column = at - row * width;
    area++;
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
    left = Math.min(left, column);
    right = Math.max(right, column);
    if (column > 0) visit(at - 1);
    if (column < width - 1) visit(at + 1);
    if (at >= width) visit(at - width);
    if (at + width < values.length) visit(at + width);
  }
  return { value, area, top, left, bottom, right };
}
