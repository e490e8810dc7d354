import { describe, expect, test } from "vitest";
import { formatSummary, summarise } from "./summary.ts";

const SMALL = { backbone: "resnet18", classes: 3, channels: 16, auxiliaryChannels: 8 } as const;

describe("summarise", () => {
  test("counts ResNet-50 as is known: 4.09 GMAC at 224x224 with the 7x7 stem, all but the classifier", () => {
    const config = { backbone: "resnet50", head: "fcn", stem: "v1", outputStride: 32, classes: 3 } as const;
    const { parts } = summarise(config, { crop: [224, 224] });
    const backbone = parts.filter(({ part }) => part.startsWith("backbone."));
    expect(backbone.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0)).toBe(4_087_136_256);
    expect(backbone.reduce((sum, { convolutions }) => sum + convolutions, 0)).toBe(53);
    expect(backbone.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(23_508_032);
  });

  test("is linear in the batch, and knows the shape of the logits", () => {
    const one = summarise(SMALL, { crop: [64, 96] });
    const three = summarise(SMALL, { crop: [64, 96], batch: 3 });
    expect(three.multiplyAdds).toBe(3 * one.multiplyAdds);
    expect(three.activationBytes).toBe(3 * one.activationBytes);
    expect(three.logits).toEqual([3, 3, 16, 24]);
    expect(formatSummary(three)).toContain("logits: [3, 3, 16, 24]");
  });

  test("sees every convolution of every family", () => {
    for (const backbone of ["resnest50", "hrnetW18", "mobilenetV2"] as const) {
      const { parts } = summarise({ ...SMALL, backbone, head: "ocr" }, { crop: [64, 64] });
      expect(parts.filter(({ multiplyAdds }) => multiplyAdds === 0).map(({ part }) => part)).toEqual(
        backbone === "hrnetW18" ? ["backbone.bn1", "backbone.bn2"] : [],
      );
    }
  });
});
