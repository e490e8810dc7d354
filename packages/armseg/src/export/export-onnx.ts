import { create } from "@bufbuild/protobuf";
import type { Segmenter } from "../networks/index.ts";
import { buildGraph, INPUT } from "./build-graph.ts";
import {
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.ts";
import { METADATA_KEY, type ModelMetadata } from "./metadata.ts";
import { writeModel } from "./model-file.ts";
import { WeightStore } from "./weight-store.ts";

/** The oldest set of operators that has all that is used: every runtime of the last years knows it. */
const OPSET = 17n;
/** Version of the file format that came with it. */
const IR_VERSION = 8n;

/**
 * Writes a network to an ONNX file: `images` `[N, 3, H, W]`, levels of 0 to 255, any N, H and W, to {@link ModelMetadata.output} at the same size.
 *
 * The graph is a recording of the network's own evaluation pass, so that it computes what the network computes: batch normalisations folded into
 * the convolutions in front of them, normalisation of the image at its beginning, resize to the image's size at its end.
 *
 * @returns The files written: a second one holds the weights where they exceed 2 GB.
 * @throws {Error} If the network calls an operator that has no counterpart here.
 */
export async function exportOnnx(
  network: Segmenter,
  path: string,
  metadata: ModelMetadata,
): Promise<string[]> {
  const { output, confidence, normalise, precision } = metadata;
  const weights = new WeightStore(network.stateDict(), precision);
  const { nodes, initializers } = buildGraph(network, { output, confidence, ...normalise }, weights);
  const graph = create(GraphProtoSchema, {
    name: metadata.network,
    node: nodes,
    input: [valueInfo(INPUT, DataType.FLOAT, ["batch", 3, "height", "width"])],
    output: outputsOf(metadata),
  });
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "armseg",
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: OPSET })],
    metadataProps: [
      create(StringStringEntryProtoSchema, { key: METADATA_KEY, value: JSON.stringify(metadata) }),
    ],
  });
  return writeModel(path, model, graph, initializers);
}

function outputsOf({ output, confidence, classes }: ModelMetadata): ValueInfoProto[] {
  const map = ["batch", "height", "width"];
  const main =
    output === "classes"
      ? valueInfo(output, DataType.UINT8, map)
      : valueInfo(output, DataType.FLOAT, ["batch", classes.length, "height", "width"]);
  return confidence ? [main, valueInfo("confidence", DataType.FLOAT, map)] : [main];
}

/** @param shape - A text names a size that may be any. */
function valueInfo(name: string, elemType: DataType, shape: readonly (number | string)[]): ValueInfoProto {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof size === "number"
          ? { case: "dimValue", value: BigInt(size) }
          : { case: "dimParam", value: size },
    }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensorType } }),
  });
}
