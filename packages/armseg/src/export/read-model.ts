import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { requireRegularFile } from "../core/regular-file.ts";
import {
  TensorProto_DataLocation as DataLocation,
  type ModelProto,
  ModelProtoSchema,
} from "./generated/onnx_pb.ts";
import { METADATA_KEY, type ModelMetadata, parseMetadata } from "./metadata.ts";

/** A file is no ONNX model, is damaged, or is one that lacks what armseg needs to know. */
export class ModelFileError extends Error {
  override readonly name = "ModelFileError";
  readonly code = "ERR_MODEL_FILE";
}

/** Returns whether a path names an ONNX model, and not a run. */
export function isModelPath(path: string): boolean {
  return path.endsWith(".onnx");
}

/**
 * Reads what a model says about itself.
 *
 * @throws {ModelFileError} If the file is missing, damaged, or was not written by `armseg export`; it names what is missing.
 */
export function readModelMetadata(path: string): ModelMetadata {
  const model = decoded(path);
  const entry = model.metadataProps.find(({ key }) => key === METADATA_KEY);
  if (!entry) throw foreign(path, model);
  checkExternalData(path, model);
  try {
    return parseMetadata(entry.value);
  } catch (cause) {
    throw new ModelFileError(
      `${path}: its metadata "${METADATA_KEY}" are incomplete: ${(cause as Error).message}; export the run again`,
      { cause },
    );
  }
}

function decoded(path: string): ModelProto {
  const bytes = contentOf(path);
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    if (model.graph && model.graph.node.length > 0) return model;
  } catch (cause) {
    throw new ModelFileError(
      `${path} is no ONNX model, or is damaged (${bytes.length} bytes): ${(cause as Error).message}; export or copy it again`,
      { cause },
    );
  }
  throw new ModelFileError(
    `${path} is no ONNX model: it has no graph (${bytes.length} bytes); export or copy it again`,
  );
}

function contentOf(path: string): Uint8Array {
  try {
    requireRegularFile(path);
    return readFileSync(path);
  } catch (cause) {
    throw new ModelFileError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function foreign(path: string, { graph, producerName }: ModelProto): ModelFileError {
  const named = (infos: readonly { readonly name: string }[] = []) =>
    infos.map(({ name }) => name).join(", ") || "none";
  return new ModelFileError(
    `${path} (of ${producerName || "an unknown producer"}, inputs ${named(graph?.input)}, outputs ${named(graph?.output)}) lacks the metadata ` +
      `"${METADATA_KEY}": its classes, colours, normalisation and kind of output are not known; write it with armseg export`,
  );
}

function checkExternalData(path: string, { graph }: ModelProto): void {
  const tensors =
    graph?.initializer.filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL) ?? [];
  const files = new Set(
    tensors
      .flatMap(({ externalData }) => externalData.filter(({ key }) => key === "location"))
      .map(({ value }) => value),
  );
  for (const file of files)
    if (!existsSync(join(dirname(path), file)))
      throw new ModelFileError(`${path} has its weights in ${file}, which does not lie beside it; copy both`);
}
