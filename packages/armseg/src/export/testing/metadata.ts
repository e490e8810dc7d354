import type { ModelMetadata } from "../metadata.ts";

/** Metadata of a model of so many classes. */
export function testMetadata(classes: number, fields: Partial<ModelMetadata> = {}): ModelMetadata {
  return {
    version: 1,
    output: "logits",
    confidence: false,
    classes: Array.from({ length: classes }, (_, i) => ({ name: `class ${i}`, color: [i, 2 * i, 3 * i] })),
    normalise: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    imageRange: null,
    base: null,
    crop: [512, 1024],
    network: "a network",
    dataset: "a data set",
    license: null,
    scores: null,
    precision: "float32",
    ...fields,
  };
}
