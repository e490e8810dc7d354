import type { MakeError } from "../file-errors.ts";
import { brief, kindOf } from "./values.ts";

type ReadScalar = (view: DataView) => number | bigint | boolean;

const integer = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** The plain little-endian numbers of numpy, by its codes. */
const READERS: ReadonlyMap<string, readonly [number, ReadScalar]> = new Map([
  ["f8", [8, (v: DataView) => v.getFloat64(0, true)]],
  ["f4", [4, (v: DataView) => v.getFloat32(0, true)]],
  ["i8", [8, (v: DataView) => integer(v.getBigInt64(0, true))]],
  ["i4", [4, (v: DataView) => v.getInt32(0, true)]],
  ["i2", [2, (v: DataView) => v.getInt16(0, true)]],
  ["i1", [1, (v: DataView) => v.getInt8(0)]],
  ["u8", [8, (v: DataView) => integer(v.getBigUint64(0, true))]],
  ["u4", [4, (v: DataView) => v.getUint32(0, true)]],
  ["u2", [2, (v: DataView) => v.getUint16(0, true)]],
  ["u1", [1, (v: DataView) => v.getUint8(0)]],
  ["b1", [1, (v: DataView) => v.getUint8(0) !== 0]],
] as const);

/** `numpy.dtype` of a plain number, seen only on the way to a scalar. */
export class NumpyDType {
  readonly code: string;
  readonly #error: MakeError;

  constructor(code: unknown, error: MakeError) {
    if (typeof code !== "string" || !READERS.has(code)) {
      throw error(
        `refuses the numpy type ${brief(code)}: only plain numbers are read`,
        "save it as a Python number",
      );
    }
    this.code = code;
    this.#error = error;
  }

  /** Checks the byte order: numpy keeps it in the state, `(3, "<", ...)`. */
  restore(state: unknown): void {
    const order: unknown = Array.isArray(state) ? state[1] : undefined;
    if (order !== "<" && order !== "|") {
      throw this.#error("refuses a numpy number that is not little-endian", "save it as a Python number");
    }
  }
}

/** `numpy.core.multiarray.scalar(dtype, bytes)`. */
export function numpyScalar(dtype: unknown, bytes: unknown, error: MakeError): number | bigint | boolean {
  if (!(dtype instanceof NumpyDType) || !(bytes instanceof Uint8Array)) {
    throw error(`expected a numpy scalar of dtype and bytes, got ${kindOf(dtype)} and ${kindOf(bytes)}`);
  }
  const [size, read] = READERS.get(dtype.code)!;
  if (bytes.length !== size)
    throw error(`expected ${size} bytes of a numpy ${dtype.code}, got ${bytes.length}`);
  return read(new DataView(bytes.buffer, bytes.byteOffset, size));
}
