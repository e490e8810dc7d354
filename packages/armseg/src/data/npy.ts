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
 * The header is matched, to its last character, not evaluated.
 *
 * @throws If the bytes are no NPY, of another type or order, or truncated.
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const [from, header] = readHeader(bytes);
  const { descr, isColumnMajor, shape } = parseHeader(header);
  if (!Object.hasOwn(TYPES, descr))
    throw new Error(`an NPY file of type ${descr}, expected float32, float64 or uint8`);
  if (isColumnMajor) throw new Error("an NPY file in column order; save numpy.ascontiguousarray(array)");
  const Type = TYPES[descr as keyof typeof TYPES];
  const length = shape.reduce((product, side) => product * side, 1);
  const byteLength = length * Type.BYTES_PER_ELEMENT;
  if (bytes.length - from < byteLength)
    throw new Error(`a truncated NPY file: ${bytes.length - from} bytes of data, expected ${byteLength}`);
  // A copy: typed arrays need an aligned start, which the header does not promise.
  return { shape, data: new Type(new Uint8Array(bytes.subarray(from, from + byteLength)).buffer) };
}

interface NpyHeader {
  readonly descr: string;
  readonly isColumnMajor: boolean;
  readonly shape: readonly number[];
}

/** An entry of the dictionary, with the comma behind it. */
const ENTRY =
  /\s*'(\w+)'\s*:\s*(?:'([^']*)'|(True|False)|\(((?:\s*(?:0|[1-9]\d*)\s*,)*(?:\s*(?:0|[1-9]\d*))?)\s*\))\s*(?:,|$)/y;

/** The dictionary of Python that NumPy writes, padded with spaces to a newline: its three keys, in any order, and nothing else. */
function parseHeader(text: string): NpyHeader {
  const damaged = () => new Error(`an NPY file with a damaged header: ${text.trim().slice(0, 80)}`);
  const inner = /^\{([^{}]*)\}\s*\n$/.exec(text)?.[1]?.trimEnd();
  if (inner === undefined) throw damaged();
  const entries = new Map<string, RegExpExecArray>();
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < inner.length) {
    const entry = ENTRY.exec(inner);
    if (!entry) throw damaged();
    entries.set(entry[1]!, entry);
  }
  const [descr, order, shapeText] = [
    entries.get("descr")?.[2],
    entries.get("fortran_order")?.[3],
    entries.get("shape")?.[4],
  ];
  if (entries.size !== 3 || descr === undefined || order === undefined || shapeText === undefined)
    throw damaged();
  const shape = shapeText.split(",").flatMap((side) => (side.trim() === "" ? [] : [Number(side)]));
  if (!shape.every((side) => Number.isSafeInteger(side))) throw damaged();
  return { descr, isColumnMajor: order === "True", shape };
}

function readHeader(bytes: Uint8Array): [number, string] {
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== "NUMPY" || bytes[0] !== 0x93)
    throw new Error("not an NPY file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!(bytes[6]! >= 1 && bytes[6]! <= 3))
    throw new Error(`an NPY file of version ${bytes[6]}, expected 1 to 3`);
  const isFirstVersion = bytes[6] === 1;
  const start = isFirstVersion ? 10 : 12;
  const end = start + (isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) throw new Error("an NPY file with a truncated header");
  return [end, new TextDecoder("latin1").decode(bytes.subarray(start, end))];
}
