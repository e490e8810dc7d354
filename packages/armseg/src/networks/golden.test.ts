import type { Tensor } from "@armseg/torch";
import { nn, ops } from "@armseg/torch";
import { describe, test } from "vitest";
import type { Backbone } from "./backbone.ts";
import { DeepLabV3PlusHead } from "./deeplab-v3-plus.ts";
import { HrNet } from "./hrnet.ts";
import { MobileNetV2 } from "./mobilenet-v2.ts";
import { ResNeSt } from "./resnest.ts";
import { ResNet } from "./resnet.ts";
import { type SegmenterConfig, segmenter } from "./segmenter.ts";
import type { Run } from "./testing/golden.ts";
import { expectGolden } from "./testing/golden.ts";

/** Odd, so that every stride rounds. */
const IMAGES = [2, 3, 49, 65] as const;

function expectBackbone(caseName: string, backbone: Backbone): void {
  using owned = backbone as Backbone & nn.Module<[Tensor], readonly Tensor[]>;
  const run: Run = (images) => new Map(owned.call(images).map((stage, i) => [`stage${i + 1}`, stage]));
  expectGolden(caseName, owned, IMAGES, run);
}

function expectSegmenter(caseName: string, config: SegmenterConfig): void {
  using network = segmenter({ dropout: 0, ...config });
  const run: Run = (images) => new Map(Object.entries(network.call(images)));
  expectGolden(caseName, network, IMAGES, run);
}

/** The part of the head that torchvision's ASPP is: all up to the context. */
class Aspp extends nn.Module {
  readonly head = new DeepLabV3PlusHead({
    classes: 1,
    inChannels: [1, 24],
    headChannels: 16,
    dilations: [1, 12, 24, 36],
  });

  protected override *members(): Iterable<[name: string, member: unknown]> {
    yield ["image_pool", this.head.imagePool];
    yield ["aspp_modules", this.head.asppModules];
    yield ["bottleneck", this.head.bottleneck];
  }

  forward(x: Tensor): Tensor {
    const branches = ops.cat(
      this.head.asppModules.map((branch) => branch.call(x)),
      1,
    );
    return this.head.bottleneck.call(this.head.imagePool.call(x), branches);
  }

  override dispose(): void {
    this.head.dispose();
  }
}

describe("outputs and gradients equal torchvision's", () => {
  for (const depth of [18, 50, 101] as const) {
    for (const outputStride of [8, 16, 32] as const) {
      test(`ResNet-${depth} at output stride ${outputStride}`, () => {
        expectBackbone(
          `torchvision resnet${depth} os${outputStride}`,
          new ResNet(depth, { stem: "v1", outputStride }),
        );
      });
    }
  }

  test("ASPP, wider and narrower than its dilations", () => {
    using aspp = new Aspp();
    expectGolden("torchvision aspp", aspp, [2, 24, 13, 40], (x) => new Map([["context", aspp.call(x)]]));
    expectGolden("torchvision aspp narrow", aspp, [2, 24, 2, 5], (x) => new Map([["context", aspp.call(x)]]));
  });
});

describe("outputs and gradients equal a composition from the recipe", () => {
  test("ResNet-50 with Caffe's strides", () => {
    expectBackbone("resnet50 caffe", new ResNet(50, { stem: "v1", outputStride: 16, strideOn: "1x1" }));
  });

  test("ResNeSt-50", () => {
    expectBackbone("resnest50 os8", new ResNeSt(50));
  });

  test("MobileNetV2", () => {
    expectBackbone("mobilenet os8", new MobileNetV2());
    expectBackbone("mobilenet os32", new MobileNetV2({ outputStride: 32 }));
  });

  test("HRNetV2-W18", () => {
    expectBackbone("hrnet18", new HrNet(18));
  });

  test("DeepLabv3+ with auxiliary head and ln s", () => {
    const small = { headChannels: 32, lowLevelChannels: 12, auxiliaryChannels: 24, logScale: true };
    expectSegmenter("deeplab resnet18", { backbone: "resnet18", classes: 7, outputStride: 16, ...small });
    const contiguous = { ...small, memoryFormat: "contiguous" } as const;
    expectSegmenter("deeplab resnet18", {
      backbone: "resnet18",
      classes: 7,
      outputStride: 16,
      ...contiguous,
    });
  });

  test("DeepLabv3+ on ResNet-50 as in the recipe", () => {
    expectSegmenter("deeplab resnet50", { backbone: "resnet50", classes: 19 });
  });

  test("OCR on ResNet and HRNet", () => {
    const small = { head: "ocr", classes: 5, headChannels: 32, keyChannels: 16 } as const;
    expectSegmenter("ocr resnet18", { backbone: "resnet18", auxiliaryChannels: 24, ...small });
    expectSegmenter("ocr hrnet18", { backbone: "hrnetW18", ...small });
  });

  test("FCN", () => {
    const small = { headChannels: 32, auxiliaryChannels: 24, outputStride: 32 } as const;
    expectSegmenter("fcn resnet18", { backbone: "resnet18", head: "fcn", classes: 5, ...small });
  });
});
