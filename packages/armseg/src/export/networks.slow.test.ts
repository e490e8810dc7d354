import { describe, expect, test } from "vitest";
import { type SegmenterConfig, segmenter } from "../networks/index.ts";
import { fillByFormula } from "../networks/testing/formula.ts";
import { exportOnnx } from "./export-onnx.ts";
import { expectEqualModel, inFolder, NO_RUNTIME } from "./testing/expect-export.ts";
import { testMetadata } from "./testing/metadata.ts";

const CLASSES = 19;
const TIMEOUT = 600_000;

describe.skipIf(NO_RUNTIME)("the model computes what the network computes:", () => {
  const networks: Record<string, Omit<SegmenterConfig, "classes">> = {
    "ResNet-18, DeepLabv3+": { backbone: "resnet18" },
    "ResNet-50, DeepLabv3+": { backbone: "resnet50" },
    "ResNet-101, DeepLabv3+": { backbone: "resnet101" },
    "ResNet-101, DeepLabv3+ as in the paper": { backbone: "resnet101", head: "deeplabV3PlusOriginal" },
    "ResNet-101, OCR": { backbone: "resnet101", head: "ocr" },
    "ResNet-50 of Caffe, FCN": { backbone: "resnet50", head: "fcn", stem: "v1", strideOn: "1x1" },
    "HRNet-W48, OCR": { backbone: "hrnetW48", head: "ocr" },
    "ResNeSt-101, DeepLabv3+": { backbone: "resnest101" },
    "MobileNetV2, DeepLabv3+": { backbone: "mobilenetV2" },
  };

  test.each(Object.entries(networks))(
    "%s",
    (_, config) => expectEqualModel({ ...config, classes: CLASSES }),
    TIMEOUT,
  );
});

test(
  "the weights of ResNet-101 are never in memory twice",
  () =>
    inFolder(async (folder) => {
      using network = segmenter({ backbone: "resnet101", classes: CLASSES });
      fillByFormula(network);
      const bytes = [...network.stateDict().values()].reduce((sum, { numel }) => sum + 4 * numel, 0);
      await exportOnnx(network, `${folder}/first.onnx`, testMetadata(CLASSES)); // libtorch's own buffers
      const before = process.memoryUsage().rss;
      let most = before;
      const clock = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 5);
      await exportOnnx(network, `${folder}/second.onnx`, testMetadata(CLASSES));
      clearInterval(clock);
      most = Math.max(most, process.memoryUsage().rss);
      expect((most - before) / bytes).toBeLessThan(1.3);
    }),
  TIMEOUT,
);
