import { ops } from "@armseg/torch";
import { expect, test } from "vitest";
import type { Sample } from "../data/sample.ts";
import { predictSamples } from "./predict.ts";
import type { Predictor } from "./predictor.ts";

const SAMPLES: readonly Sample[] = ["a", "b", "c"].map((name) => ({ name, image: `${name}.png` }));

/** Predicts class 0 for images that need no files. */
function predictor(events: string[]): Predictor {
  const settings = {
    inference: {},
    device: "cpu",
    indicator: "var",
    read: (samples: readonly Sample[]) => ({
      async *[Symbol.asyncIterator]() {
        for (const sample of samples) {
          yield { sample, originalSize: [4, 6], size: [4, 6], image: new Float32Array(3 * 4 * 6) };
        }
      },
      [Symbol.asyncDispose]: async () => {},
    }),
  };
  const predictLogits = () => {
    events.push("predict");
    return ops.zeros([1, 2, 4, 6]);
  };
  return { settings, predictLogits } as unknown as Predictor;
}

/** Returns at the next turn of the event loop. */
const later = () => new Promise<void>((resolve) => setImmediate(resolve));

test("an image is used while the next is predicted, in order, all of them before the end", async () => {
  const events: string[] = [];
  const use = async ({ name }: Sample) => {
    events.push(`${name} begins`);
    await later();
    events.push(`${name} ends`);
  };
  expect(await predictSamples(predictor(events), SAMPLES, use, {})).toBe(3);
  expect(events).toEqual([
    ...["predict", "a begins", "predict", "a ends"],
    ...["b begins", "predict", "b ends", "c begins", "c ends"],
  ]);
});

test("what fails in using an image is thrown, and no later image is used", async () => {
  const used: string[] = [];
  const use = async ({ name }: Sample) => {
    used.push(name);
    await later();
    throw new Error(`${name} cannot be written`);
  };
  await expect(predictSamples(predictor([]), SAMPLES, use, {})).rejects.toThrow("a cannot be written");
  expect(used).toEqual(["a"]);
});
