import type { InputFile } from "./input-file.ts";
import { withInputFile } from "./input-file.ts";
import type { DTypeName } from "./raw-tensor.ts";
import { byteLengthOf } from "./raw-tensor.ts";

/** Where one tensor of a safetensors file lies. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  /** Position of its first byte in the file. Files of others need not align it to the element size. */
  readonly offset: number;
  readonly byteLength: number;
}

/** What a safetensors file says of itself, checked. */
export interface SafetensorsHeader {
  readonly path: string;
  readonly fileSize: number;
  /** In the order of their bytes in the file. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The format's names of the data types. */
export const SAFETENSORS_DTYPES = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Record<string, DTypeName>;

/** The name under which the header keeps free text beside the tensors. */
export const METADATA_KEY = "__metadata__";

/** Bytes before the header: its length, as a 64-bit integer. */
export const PREFIX_BYTES = 8;

/** The bound of the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The deepest a right header goes: file, tensor, shape. */
const HEADER_DEPTH = 3;
const DAMAGED = "the file is damaged or no safetensors file: fetch or write it again";

/**
 * Reads and checks the header of a safetensors file, without its tensors.
 *
 * Format: 8 bytes little-endian length, that many bytes of JSON, then the tensors' bytes without hole or overlap.
 * The offsets are absolute, so that the tensors can be mapped into memory.
 *
 * @throws {FileFormatError} If the file breaks the format in any way: see `docs/io.md`.
 * @throws {FileAccessError} If it cannot be read.
 */
export function readSafetensorsHeader(path: string): SafetensorsHeader {
  return withInputFile("readSafetensorsHeader", path, parseSafetensorsHeader);
}

/** Reads the header of a file already open. */
export function parseSafetensorsHeader(file: InputFile): SafetensorsHeader {
  const headerBytes = readHeaderLength(file);
  const fields = Object.entries(parseJson(file, file.read(PREFIX_BYTES, headerBytes)));
  const dataStart = PREFIX_BYTES + headerBytes;
  const metadataField = fields.find(([name]) => name === METADATA_KEY);
  const entries = fields
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => parseEntry(file, name, value, dataStart))
    // An empty tensor begins where the next one does and has to come first.
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCoverage(file, entries, dataStart);
  const metadata = parseMetadata(file, metadataField?.[1]);
  return { path: file.path, fileSize: file.size, entries, metadata };
}

function readHeaderLength(file: InputFile): number {
  const prefix = file.read(0, PREFIX_BYTES);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw file.error(`expected a header of at most ${MAX_HEADER_BYTES} bytes, got one of ${length}`, DAMAGED);
  }
  return Number(length);
}

function parseJson(file: InputFile, bytes: Uint8Array): object {
  if (bytes[0] !== 0x7b) throw file.error("expected a header that begins with {", DAMAGED);
  let header: unknown;
  let problem: string | undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    problem = findHiddenJsonProblem(text, HEADER_DEPTH);
    if (problem === undefined) header = JSON.parse(text);
  } catch (error) {
    throw file.error("expected a header of valid UTF-8 JSON", DAMAGED, error);
  }
  if (problem !== undefined) throw file.error(`the header has ${problem}`, DAMAGED);
  return header as object;
}

function parseEntry(file: InputFile, name: string, value: unknown, dataStart: number): SafetensorsEntry {
  const { dtype: code, shape, data_offsets: range } = asRecord(value);
  if (typeof code !== "string" || !isIntegers(shape) || !isIntegers(range) || range.length !== 2) {
    throw file.error(`tensor ${quote(name)}: expected dtype, shape and data_offsets [begin, end]`, DAMAGED);
  }
  const dtype = dtypeOf(code);
  if (dtype === undefined) {
    const known = Object.keys(SAFETENSORS_DTYPES).join(", ");
    throw file.error(
      `tensor ${quote(name)}: expected a dtype of ${known}, got ${quote(code)}`,
      "convert it first",
    );
  }
  const byteLength = byteLengthOf(dtype, shape);
  const [begin, end] = range as [number, number];
  if (byteLength === undefined || end - begin !== byteLength) {
    const got = `${dtype} [${shape.slice(0, 8).join(", ")}] in ${end - begin} bytes`;
    throw file.error(`tensor ${quote(name)}: shape and size disagree, got ${got}`, DAMAGED);
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength };
}

/** Holes could hide anything, overlaps make a file larger in memory than on disk: the format forbids both. */
function checkCoverage(file: InputFile, entries: readonly SafetensorsEntry[], dataStart: number): void {
  let end = dataStart;
  for (const { name, offset, byteLength } of entries) {
    if (offset !== end) {
      const what = offset > end ? "a hole before it" : "an overlap with another";
      throw file.error(
        `tensor ${quote(name)}: expected to begin at byte ${end}, got ${offset}: ${what}`,
        DAMAGED,
      );
    }
    end += byteLength;
  }
  if (end !== file.size) {
    throw file.error(`expected a file of ${end} bytes by its header, got ${file.size}`, DAMAGED);
  }
}

function parseMetadata(file: InputFile, value: unknown): Map<string, string> {
  const fields = Object.entries(asRecord(value ?? {}));
  const isText = typeof (value ?? {}) === "object" && !Array.isArray(value);
  if (!isText || !fields.every(([, text]) => typeof text === "string")) {
    throw file.error(`expected ${METADATA_KEY} to map strings to strings`, DAMAGED);
  }
  return new Map(fields as [string, string][]);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function dtypeOf(code: string): DTypeName | undefined {
  return Object.hasOwn(SAFETENSORS_DTYPES, code)
    ? SAFETENSORS_DTYPES[code as keyof typeof SAFETENSORS_DTYPES]
    : undefined;
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Returns a name from the file, short enough for a message. */
function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Finds what `JSON.parse` would pass over in silence: a key given twice in one object, and nesting beyond a bound.
 *
 * Text that is not JSON may pass: `JSON.parse` is to judge it afterwards.
 *
 * @returns The problem in words, or `undefined`.
 */
export function findHiddenJsonProblem(text: string, maxDepth: number): string | undefined {
  const keys: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (OPENING.has(code)) keys.push(new Set());
    else if (CLOSING.has(code)) keys.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, at);
      const repeated = nextIsColon(text, end) && noteKey(keys.at(-1), text.slice(at, end));
      if (repeated) return `the key ${text.slice(at, Math.min(end, at + 120))} twice in one object`;
      at = end - 1;
    }
    if (keys.length > maxDepth) return `JSON nested deeper than ${maxDepth} levels`;
  }
  return undefined;
}

/** Returns the index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function nextIsColon(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
}

/** Remembers a key, spelled with its quotes; true if it was there already, under any escapes. */
function noteKey(keys: Set<string> | undefined, quoted: string): boolean {
  const key: string = JSON.parse(quoted);
  const repeated = keys?.has(key) ?? false;
  keys?.add(key);
  return repeated;
}
