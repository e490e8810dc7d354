import type { ByteSink } from "./atomic-write.ts";
import { writeFileAtomically } from "./atomic-write.ts";
import type { DTypeName } from "./raw-tensor.ts";
import { BYTES_PER_ELEMENT, byteLengthOf } from "./raw-tensor.ts";
import { MAX_HEADER_BYTES, METADATA_KEY, PREFIX_BYTES, SAFETENSORS_DTYPES } from "./safetensors-header.ts";

/**
 * A tensor to write. `data` may be a function, called once when its turn comes, that returns the bytes whole or in
 * pieces: so a large checkpoint needs no second copy in memory.
 */
export interface TensorSource {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly data: Uint8Array | (() => Uint8Array | Iterable<Uint8Array>);
}

interface PlacedSource extends TensorSource {
  readonly name: string;
  readonly byteLength: number;
}

const CODES = new Map(Object.entries(SAFETENSORS_DTYPES).map(([code, dtype]) => [dtype, code]));

/**
 * Writes a safetensors file atomically: the path holds the old file or the whole new one, never a part.
 *
 * Wider elements come first (else the given order), so that every tensor is aligned to its element size and can be
 * mapped into memory. The same tensors in the same order give the same bytes.
 *
 * @param tensors - Name and tensor, {@link RawTensor} or one whose bytes are made when needed.
 * @param metadata - Free text to keep beside them, such as a `Map`.
 * @throws {RangeError} If a name is given twice, reserved or no valid Unicode, or bytes and shape disagree.
 * @throws {FileAccessError} If the file cannot be written (disk full, folder missing); the old file is untouched.
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, TensorSource]>,
  metadata: Iterable<readonly [string, string]> = [],
): void {
  const sources = placeSources(path, tensors);
  const header = encodeHeader(path, sources, new Map(metadata));
  writeFileAtomically("writeSafetensors", path, (sink) => {
    sink(header);
    for (const source of sources) writeSource(path, source, sink);
  });
}

function placeSources(path: string, tensors: Iterable<readonly [string, TensorSource]>): PlacedSource[] {
  const placed = new Map<string, PlacedSource>();
  for (const [name, { dtype, shape, data }] of tensors) {
    checkName(path, name, placed);
    const byteLength = byteLengthOf(dtype, shape);
    if (byteLength === undefined) throw refusal(path, `tensor ${name}: got the impossible shape [${shape}]`);
    placed.set(name, { name, dtype, shape, data, byteLength });
  }
  return [...placed.values()].sort((a, b) => BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype]);
}

function checkName(path: string, name: string, taken: ReadonlyMap<string, unknown>): void {
  if (taken.has(name)) throw refusal(path, `expected each name once, got ${JSON.stringify(name)} twice`);
  if (name === METADATA_KEY) throw refusal(path, `the name ${name} is reserved by the format`);
  if (/\p{Surrogate}/u.test(name))
    throw refusal(path, `the name ${JSON.stringify(name)} is no valid Unicode`);
}

function encodeHeader(
  path: string,
  sources: readonly PlacedSource[],
  metadata: Map<string, string>,
): Uint8Array {
  const fields: string[] = [];
  if (metadata.size > 0) fields.push(encodeField(METADATA_KEY, Object.fromEntries(metadata)));
  let end = 0;
  for (const { name, dtype, shape, byteLength } of sources) {
    const begin = end;
    end += byteLength;
    fields.push(encodeField(name, { dtype: CODES.get(dtype), shape, data_offsets: [begin, end] }));
  }
  const json = Buffer.from(`{${fields.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw refusal(path, `the header would have ${length} bytes, the format allows ${MAX_HEADER_BYTES}`);
  }
  const header = Buffer.alloc(PREFIX_BYTES + length, " ");
  header.writeBigUInt64LE(BigInt(length));
  json.copy(header, PREFIX_BYTES);
  return header;
}

/** Encodes an object of fields, built by hand, since one of JavaScript's would move names such as "0" to the front. */
function encodeField(name: string, value: object): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

function writeSource(path: string, { name, data, byteLength }: PlacedSource, sink: ByteSink): void {
  const produced = typeof data === "function" ? data() : data;
  let written = 0;
  for (const piece of produced instanceof Uint8Array ? [produced] : produced) {
    written += piece.length;
    if (written > byteLength) break;
    sink(piece);
  }
  if (written !== byteLength) {
    const got = written > byteLength ? "more" : String(written);
    throw refusal(path, `tensor ${name}: expected ${byteLength} bytes by its shape and dtype, got ${got}`);
  }
}

function refusal(path: string, what: string): RangeError {
  return new RangeError(`writeSafetensors(): ${path}: ${what}`);
}
