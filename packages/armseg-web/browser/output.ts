/** The output of a model for one image: a plane of numbers for each class, row by row, or the class of each pixel. */
export interface ModelOutput {
  readonly data: Float32Array | Uint8Array;
  readonly height: number;
  readonly width: number;
  /** Of planes; 1 for class indices. */
  readonly planes: number;
}

/** Where a row or column lies between two others. */
interface Place {
  readonly low: number;
  readonly high: number;
  /** Share of the second. */
  readonly share: number;
}

/** Half-pixel centres, as PyTorch resizes with `align_corners = false`. */
function placesOf(length: number, sourceLength: number): Place[] {
  return Array.from({ length }, (_, i) => {
    const position = Math.max(0, ((i + 0.5) * sourceLength) / length - 0.5);
    const low = Math.min(Math.floor(position), sourceLength - 1);
    return { low, high: Math.min(low + 1, sourceLength - 1), share: Math.min(position - low, 1) };
  });
}

/**
 * Returns the class of each pixel at another size: the planes are resized bilinearly, and the largest of them names the class, the lower one of equals.
 * Of class indices the one with the largest share of the four around a pixel is taken.
 *
 * @param classes - How many there are.
 */
export function classesAt(
  output: ModelOutput,
  size: { readonly height: number; readonly width: number },
  classes: number,
): Uint8Array {
  const { height, width } = size;
  const columns = placesOf(width, output.width);
  const result = new Uint8Array(height * width);
  const values = new Float32Array(classes);
  for (const [y, row] of placesOf(height, output.height).entries())
    for (const [x, column] of columns.entries()) {
      values.fill(0);
      addCorner(output, row.low, column.low, (1 - row.share) * (1 - column.share), values);
      addCorner(output, row.low, column.high, (1 - row.share) * column.share, values);
      addCorner(output, row.high, column.low, row.share * (1 - column.share), values);
      addCorner(output, row.high, column.high, row.share * column.share, values);
      result[y * width + x] = indexOfLargest(values);
    }
  return result;
}

function addCorner(
  { data, height, width, planes }: ModelOutput,
  y: number,
  x: number,
  share: number,
  into: Float32Array,
): void {
  if (share === 0) return;
  const at = y * width + x;
  if (planes === 1) {
    const label = data[at] as number;
    into[label] = (into[label] as number) + share;
    return;
  }
  const plane = height * width;
  for (let c = 0; c < planes; c++) into[c] = (into[c] as number) + share * (data[c * plane + at] as number);
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if ((values[c] as number) > (values[best] as number)) best = c;
  return best;
}
