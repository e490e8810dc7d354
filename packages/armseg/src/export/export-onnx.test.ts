import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ops, type Tensor } from "@armseg/torch";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type SegmenterConfig, segmenter } from "../networks/index.ts";
import { exportOnnx } from "./export-onnx.ts";
import {
  TensorProto_DataLocation as DataLocation,
  GraphProtoSchema,
  ModelProtoSchema,
} from "./generated/onnx_pb.ts";
import { writeModel } from "./model-file.ts";
import { ModelFileError, readModelMetadata } from "./read-model.ts";
import { RuntimeSession } from "./runtime/session.ts";
import {
  checkByPython,
  expectEqualModel,
  hasPythonOnnx,
  inFolder,
  NO_RUNTIME,
  writtenModel,
} from "./testing/expect-export.ts";
import { testMetadata } from "./testing/metadata.ts";

const SMALL: SegmenterConfig = {
  backbone: "resnet18",
  stages: 2,
  classes: 5,
  headChannels: 8,
  auxiliary: false,
};
/** Ends after its second stage. */
const SMALLEST: SegmenterConfig = {
  backbone: "mobilenetV2",
  stages: 2,
  head: "fcn",
  classes: 3,
  headChannels: 4,
  auxiliary: false,
};

function modelOf(path: string) {
  return fromBinary(ModelProtoSchema, readFileSync(path));
}

describe.skipIf(NO_RUNTIME)(
  "a model computes what its network computes, at three sizes, one of them odd",
  () => {
    test("DeepLabv3+ as mmsegmentation has it", () => expectEqualModel(SMALL));

    test("DeepLabv3+ as in the paper", () =>
      expectEqualModel({ ...SMALL, head: "deeplabV3PlusOriginal", stages: 3, outputStride: 16 }));

    test("OCR, whose attention reshapes by the image's size", () =>
      expectEqualModel({ ...SMALL, head: "ocr", keyChannels: 4 }));

    test("MobileNetV2, whose dilated depthwise convolutions are computed another way here", () =>
      expectEqualModel({ ...SMALL, backbone: "mobilenetV2", stages: 4 }));

    test("likelihoods", () => expectEqualModel(SMALLEST, { output: "likelihoods" }));

    test("classes", () => expectEqualModel(SMALLEST, { output: "classes" }));
  },
);

describe("a model", () => {
  test("has the normalisations in its convolutions, and the network's names", () =>
    inFolder(async (folder) => {
      const { path } = await writtenModel(folder, SMALL);
      const { graph } = modelOf(path);
      const operators = new Set(graph!.node.map(({ opType }) => opType));
      expect(operators).not.toContain("BatchNormalization");
      expect([...operators].toSorted()).toEqual([
        "Add",
        "Concat",
        "Conv",
        "Div",
        "Expand",
        "Gather",
        "GlobalAveragePool",
        "Identity",
        "MaxPool",
        "Relu",
        "Resize",
        "Shape",
        "Sub",
      ]);
      expect(graph!.initializer.map(({ name }) => name)).toContain("backbone.layer1.0.conv1.weight_0");
      const resizes = graph!.node.filter(({ opType }) => opType === "Resize");
      const modes = resizes.map(({ attribute }) => new TextDecoder().decode(attribute[1]!.s));
      expect(modes).toEqual(["half_pixel", "half_pixel"]);
    }));

  test("says what it is", () =>
    inFolder(async (folder) => {
      const fields = { license: "CC BY 4.0", scores: { split: "val", iteration: 7, mIoU: 0.5, aAcc: 0.9 } };
      const { path, metadata } = await writtenModel(folder, SMALLEST, fields);
      expect(readModelMetadata(path)).toEqual(metadata);
    }));

  test.skipIf(NO_RUNTIME)("gives the likelihood of the likeliest class as a second output", () =>
    inFolder(async (folder) => {
      const { path } = await writtenModel(folder, SMALLEST, { output: "likelihoods", confidence: true });
      using session = new RuntimeSession(path);
      const outputs = session.run(ops.rand([2, 3, 33, 47]).mul(255));
      const [likelihoods, confidence] = ["likelihoods", "confidence"].map(
        (name) => outputs.get(name) as Tensor,
      );
      expect(confidence!.shape).toEqual([2, 33, 47]);
      expect(
        confidence!
          .sub(likelihoods!.amax([1]))
          .abs()
          .max()
          .item(),
      ).toBeLessThan(1e-6);
      expect(likelihoods!.sum([1]).sub(1).abs().max().item()).toBeLessThan(1e-5);
    }),
  );

  test.skipIf(NO_RUNTIME)("runs with its weights in a second file, where one would be too large", () =>
    inFolder(async (folder) => {
      const { path } = await writtenModel(folder, SMALLEST);
      const model = modelOf(path);
      const { initializer, name: graphName, node, input, output } = model.graph!;
      const graph = create(GraphProtoSchema, { name: graphName, node, input, output });
      const initializers = initializer.map(({ name, dims, dataType, rawData }) => ({
        name: name!,
        dims: dims.map(Number),
        dataType: dataType as 1,
        byteLength: rawData!.length,
        bytes: () => rawData!,
      }));
      const other = join(folder, "large.onnx");
      const bare = create(ModelProtoSchema, {
        irVersion: model.irVersion!,
        opsetImport: model.opsetImport,
        metadataProps: model.metadataProps,
      });
      expect(await writeModel(other, bare, graph, initializers, 1000)).toEqual([other, `${other}.data`]);
      expect(statSync(other).size).toBeLessThan(statSync(path).size / 3);
      expect(modelOf(other).graph!.initializer[0]!.dataLocation).toBe(DataLocation.EXTERNAL);
      const images = ops.rand([1, 3, 32, 32]).mul(255);
      using inside = new RuntimeSession(path);
      using outside = new RuntimeSession(other);
      expect(outside.run(images).get("logits")!.toArray()).toEqual(
        inside.run(images).get("logits")!.toArray(),
      );
      writeFileSync(`${other}.moved`, readFileSync(`${other}.data`));
      truncateSync(`${other}.data`, 0);
      expect(() => new RuntimeSession(other)).toThrow(/large\.onnx: ONNX Runtime could not run the model/);
    }),
  );

  test("whose network calls an operator that is not known is refused with its name", () =>
    inFolder(async (folder) => {
      using network = segmenter(SMALLEST);
      const head = network.decodeHead;
      const forward = head.forward.bind(head);
      head.forward = (stages) => {
        const { logits, features } = forward(stages);
        return { logits: logits.erf(), features };
      };
      const path = join(folder, "model.onnx");
      await expect(exportOnnx(network, path, testMetadata(3))).rejects.toThrow(
        /exportOnnx\(\): expected operators that are known in ONNX, got aten::erf/,
      );
    }));
});

test.skipIf(!hasPythonOnnx())("ONNX's own checker and ONNX Runtime in Python take a model", () =>
  inFolder(async (folder) =>
    checkByPython((await writtenModel(folder, SMALL, { output: "classes", confidence: true })).path),
  ),
);

describe("a file that is no model of ours", () => {
  const thrown = (path: string): Error => {
    try {
      readModelMetadata(path);
    } catch (error) {
      return error as Error;
    }
    throw new Error("it was taken");
  };

  test("is refused for what is missing", () =>
    inFolder(async (folder) => {
      const path = join(folder, "model.onnx");
      expect(thrown(path)).toBeInstanceOf(ModelFileError);
      expect(thrown(path).message).toMatch(/model\.onnx cannot be read/);
      writeFileSync(path, "no model at all");
      expect(thrown(path).message).toMatch(/is no ONNX model/);
      writeFileSync(path, "");
      expect(thrown(path).message).toMatch(/has no graph \(0 bytes\)/);
      await writtenModel(folder, SMALLEST);
      truncateSync(path, statSync(path).size >> 1);
      expect(thrown(path).message).toMatch(/is damaged/);
      await writtenModel(folder, SMALLEST);
      const model = modelOf(path);
      const foreign = create(ModelProtoSchema, { ...model, producerName: "pytorch", metadataProps: [] });
      writeFileSync(path, toBinary(ModelProtoSchema, foreign));
      expect(thrown(path).message).toMatch(
        /\(of pytorch, inputs images, outputs logits\) lacks the metadata "armseg"/,
      );
      model.metadataProps[0]!.value = JSON.stringify({ ...testMetadata(3), classes: undefined });
      writeFileSync(path, toBinary(ModelProtoSchema, model));
      expect(thrown(path).message).toMatch(/metadata "armseg" are incomplete: classes/);
    }));
});
