/** An array as NumPy saved it. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array | Float32Array | Float64Array;
}

const TYPES = {
  "|u1": Uint8Array,
  "<u1": Uint8Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

/**
 * Read NumPy's NPY format, versions 1 to 3: uint8, float32 and float64, little-endian, row-major.
 *
 * The header is matched, not evaluated.
 *
 * @throws If the bytes are no NPY, of another type or order, or truncated.
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const [from, header] = readHeader(bytes);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const shapeText = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === undefined || shapeText === undefined) throw new Error("an NPY file with a damaged header");
  if (!Object.hasOwn(TYPES, descr))
    throw new Error(`an NPY file of type ${descr}, expected float32, float64 or uint8`);
  if (/'fortran_order'\s*:\s*True/.test(header))
    throw new Error("an NPY file in column order; save numpy.ascontiguousarray(array)");
  const shape = shapeText
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  if (!shape.every((side) => Number.isSafeInteger(side)))
    throw new Error(`an NPY file with a damaged header: the shape (${shapeText})`);
  const Type = TYPES[descr as keyof typeof TYPES];
  const length = shape.reduce((product, side) => product * side, 1);
  const byteLength = length * Type.BYTES_PER_ELEMENT;
  if (bytes.length - from < byteLength)
    throw new Error(`a truncated NPY file: ${bytes.length - from} bytes of data, expected ${byteLength}`);
  // A copy: typed arrays need an aligned start, which the header does not promise.
  return { shape, data: new Type(new Uint8Array(bytes.subarray(from, from + byteLength)).buffer) };
}

function readHeader(bytes: Uint8Array): [number, string] {
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== "NUMPY" || bytes[0] !== 0x93)
    throw new Error("not an NPY file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFirstVersion = bytes[6] === 1;
  const start = isFirstVersion ? 10 : 12;
  const end = start + (isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) throw new Error("an NPY file with a truncated header");
  return [end, new TextDecoder("latin1").decode(bytes.subarray(start, end))];
}
