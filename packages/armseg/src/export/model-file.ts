import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { replaceFileAtomically } from "../core/atomic-file.ts";
import {
  TensorProto_DataLocation as DataLocation,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from "./generated/onnx_pb.ts";
import type { Initializer } from "./initializer.ts";

/** A message of protocol buffers, and so a model in one file, ends at 2 GiB. */
const MESSAGE_LIMIT = 2 ** 31 - 2 ** 24;

/** Field numbers of `onnx.proto`. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;

/**
 * Writes a model tensor by tensor: in memory there is never more than one of its weights. Weights of over 2 GB go to a second file beside it,
 * `NAME.data`, as the format has it.
 *
 * The generated code could only write a message that holds all of its bytes, twice the model. So the two levels around a tensor are written
 * here, field by field; all that is inside them is the library's.
 *
 * @param model - Without its graph. @param graph - Without its initializers.
 * @returns The files written.
 */
export async function writeModel(
  path: string,
  model: ModelProto,
  graph: GraphProto,
  initializers: readonly Initializer[],
  limit = MESSAGE_LIMIT,
): Promise<string[]> {
  const total = initializers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (total <= limit) {
    await replaceFileAtomically(path, (temporary) =>
      writeParts(temporary, modelParts(model, graph, initializers.map(inside))),
    );
    return [path];
  }
  const data = `${path}.data`;
  const placed = outside(basename(data), initializers);
  await replaceFileAtomically(data, (temporary) =>
    writeParts(
      temporary,
      initializers.map(({ bytes }) => bytes),
    ),
  );
  await replaceFileAtomically(path, (temporary) => writeParts(temporary, modelParts(model, graph, placed)));
  return [path, data];
}

/** A piece of a file: bytes, or what makes them when their turn comes. */
type Part = Uint8Array | (() => Uint8Array);

function writeParts(path: string, parts: readonly Part[]): void {
  const file = openSync(path, "wx");
  try {
    for (const part of parts) writeWhole(file, part instanceof Uint8Array ? part : part());
  } finally {
    closeSync(file);
  }
}

/** One call of the system may write less than it was given. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

/** An initializer as a message: what comes in front of its bytes, and its bytes, if they are inside. */
interface Encoded {
  readonly head: Uint8Array;
  readonly data: Initializer | null;
}

function fieldsOf({ name, dims, dataType }: Initializer) {
  return { name, dims: dims.map(BigInt), dataType };
}

function inside(initializer: Initializer): Encoded {
  const fields = toBinary(TensorProtoSchema, create(TensorProtoSchema, fieldsOf(initializer)));
  const head = new BinaryWriter()
    .raw(fields)
    .tag(TENSOR_RAW_DATA, WireType.LengthDelimited)
    .uint32(initializer.byteLength)
    .finish();
  return { head, data: initializer };
}

function outside(file: string, initializers: readonly Initializer[]): Encoded[] {
  let offset = 0;
  return initializers.map((initializer) => {
    const entries = { location: file, offset: String(offset), length: String(initializer.byteLength) };
    offset += initializer.byteLength;
    const message = create(TensorProtoSchema, {
      ...fieldsOf(initializer),
      dataLocation: DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    });
    return { head: toBinary(TensorProtoSchema, message), data: null };
  });
}

/** The bytes of a field with a message inside, up to the message. */
function opening(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

function lengthOf({ head, data }: Encoded): number {
  return head.length + (data?.byteLength ?? 0);
}

function modelParts(model: ModelProto, graph: GraphProto, tensors: readonly Encoded[]): Part[] {
  const nodes = toBinary(GraphProtoSchema, graph);
  const fields = tensors.map((tensor) => opening(GRAPH_INITIALIZER, lengthOf(tensor)));
  const length = tensors.reduce(
    (sum, tensor, i) => sum + (fields[i] as Uint8Array).length + lengthOf(tensor),
    nodes.length,
  );
  return [
    toBinary(ModelProtoSchema, model),
    opening(MODEL_GRAPH, length),
    nodes,
    ...tensors.flatMap(({ head, data }, i): Part[] => [
      fields[i] as Uint8Array,
      head,
      ...(data ? [data.bytes] : []),
    ]),
  ];
}
