import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A class; its index in the list is the value of a pixel. */
export interface ModelClass {
  readonly name: string;
  /** Red, green, blue, 0 to 255. */
  readonly color: readonly [number, number, number];
}

/** What `armseg export` writes into a model about it; fields that are of no use here are left out. */
export interface ModelMetadata {
  readonly output: "logits" | "likelihoods" | "classes";
  readonly classes: readonly ModelClass[];
  /** What images are fitted into, `[height, width]`; `null`: as they are. */
  readonly base: readonly [number, number] | null;
  readonly network: string;
  readonly license: string | null;
}

/** Field numbers of `onnx.proto`. */
const MODEL_METADATA = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/**
 * Reads what a model says about itself: the rest of the file, all of its weights, is passed over.
 *
 * @throws {Error} If the bytes are no ONNX model, or were not written by `armseg export`.
 */
export function readMetadata(model: Uint8Array): ModelMetadata {
  const text = findMetadata(model);
  if (text === null)
    throw new Error('readMetadata(): the model lacks the metadata "armseg"; write it with armseg export');
  return JSON.parse(text) as ModelMetadata;
}

function findMetadata(model: Uint8Array): string | null {
  try {
    const reader = new BinaryReader(model);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field !== MODEL_METADATA || type !== WireType.LengthDelimited) reader.skip(type, field);
      else {
        const { key, value } = readEntry(reader.bytes());
        if (key === "armseg") return value;
      }
    }
    return null;
  } catch (cause) {
    throw new Error(`readMetadata(): ${model.length} bytes are no ONNX model, or it is damaged`, { cause });
  }
}

function readEntry(bytes: Uint8Array): { key: string; value: string } {
  const reader = new BinaryReader(bytes);
  const entry = { key: "", value: "" };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === ENTRY_KEY) entry.key = reader.string();
    else if (field === ENTRY_VALUE) entry.value = reader.string();
    else reader.skip(type, field);
  }
  return entry;
}
