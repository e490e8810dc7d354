import type { Tensor } from "@armseg/torch";
import { getThreads, manualSeed, memory, ops, setThreads, tidy } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AUGMENTATIONS, scaledSize, type TestTimeAugmentation } from "./augmentation.ts";
import { bandRows, labelsOfRows } from "./bands.ts";
import { predictLabels, predictWithConfidence, predictWithLikelihoods, withMirroring } from "./inference.ts";
import type { Network } from "./maps.ts";
import { type RowSource, resizedRows, wholeRows } from "./row-source.ts";
import { golden, goldenNetwork, storedTensor } from "./testing/golden.ts";
import { combinedViews, slidingLogits } from "./views.ts";

const { views } = golden.inference;

// Thousands of operators on a few hundred numbers: threads would only wait for each other.
const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

function differenceOf(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  return actual.to("cpu", "float64").sub(expected.cpu()).abs().max().item();
}

/** The golden view as options of ours. */
function optionsOf(view: (typeof views)[number]): {
  window: { crop: readonly [number, number]; stride: readonly [number, number] } | null;
  augmentation: TestTimeAugmentation | null;
} {
  const window = view.window ? { crop: view.window[0], stride: view.window[1] } : null;
  const preset = view.augmentation ? AUGMENTATIONS[view.augmentation] : null;
  const windowAboveOne = view.crop ? { crop: view.crop, stride: view.crop } : null;
  return { window, augmentation: preset && { ...preset, windowAboveOne } };
}

/** The map whose greatest class is the prediction, from `step` rows at a time. */
function scoresOf(view: (typeof views)[number], image: Tensor, step = 1000): Tensor {
  const { window, augmentation } = optionsOf(view);
  const network = goldenNetwork();
  const { rows } = augmentation
    ? combinedViews(network, image, view.final, augmentation, window)
    : { rows: resizedRows(slidingLogits(network, image, window!), view.final) };
  const height = rows.size[0];
  const starts = Array.from({ length: Math.ceil(height / step) }, (_, i) => i * step);
  return ops.cat(
    starts.map((from) => rows.rows(from, Math.min(height, from + step))),
    2,
  );
}

describe("windows and views against a slow reference in float64", () => {
  test.each(views)("$name", (view) => {
    const image = storedTensor(golden.inference.image);
    const expected = storedTensor(view.scores);
    const scale = Math.max(1, expected.abs().max().item());
    expect(differenceOf(scoresOf(view, image), expected)).toBeLessThan(1e-12 * scale);
    const labels = predictLabels(goldenNetwork(), image, view.final, optionsOf(view));
    expect(labels.toTypedArray()).toEqual(expected.argmax(1).to("cpu", "uint8").toTypedArray());
  });

  test.each(views)("$name, whatever the height of the bands", (view) => {
    const image = storedTensor(golden.inference.image);
    const whole = scoresOf(view, image);
    for (const step of [2, 7])
      expect(differenceOf(scoresOf(view, image, step), whole)).toBeLessThan(
        1e-13 * Math.max(1, whole.abs().max().item()),
      );
  });

  test.each(views)("$name, in float32 and several images at once", (view) => {
    const image = storedTensor(golden.inference.image);
    const pair = ops.cat([image, image.flip([2])], 0).to("float32");
    const expected = storedTensor(view.scores);
    const scores = scoresOf(view, pair).narrow(0, 0, 1);
    expect(differenceOf(scores, expected)).toBeLessThan(2e-5 * expected.abs().max().item());
  });
});

describe("the whole image, once", () => {
  /** Low-resolution logits handed through as if the image were they. */
  const identity: Network = (images) => images;

  test("float32 goes through the fused kernel and equals bands of ATen operators", () => {
    manualSeed(1);
    const logits = onTestDevice(ops.randn([2, 3, 7, 9]));
    const [fused, composed] = [logits, logits.to("float64")].map((map) =>
      predictWithConfidence(identity, map, [33, 29], { indicator: "entropy" }),
    );
    const full = ops.upsampleBilinear2d(logits.to("float64"), [33, 29], false, null);
    expect(fused!.labels.shape).toEqual([2, 33, 29]);
    expect(composed!.labels.toTypedArray()).toEqual(full.argmax(1).to("cpu", "uint8").toTypedArray());
    expect(fused!.labels.toTypedArray()).toEqual(composed!.labels.toTypedArray());
    expect(differenceOf(fused!.confidence, composed!.confidence)).toBeLessThan(1e-5);
  });

  test("likelihoods of the predicted and of the given class equal the softmax; 0 where none is given", () => {
    manualSeed(2);
    const logits = onTestDevice(ops.randn([2, 3, 7, 9]));
    const given = onTestDevice(ops.randint(0, 4, [2, 33, 29])).to(testDevice, "uint8");
    const labels = given.maskedFill(given.eq(3), 255);
    const full = ops.upsampleBilinear2d(logits.to("float64"), [33, 29], false, null).softmax(1);
    const at = (classes: Tensor) => full.gather(1, classes.to(testDevice, "int64").unsqueeze(1)).select(1, 0);
    for (const map of [logits, logits.to("float64")]) {
      const found = predictWithLikelihoods(identity, map, labels);
      expect(found.labels.toTypedArray()).toEqual(full.argmax(1).to("cpu", "uint8").toTypedArray());
      expect(differenceOf(found.likelihood, at(full.argmax(1)))).toBeLessThan(1e-6);
      const known = at(labels.maskedFill(labels.eq(255), 0)).maskedFill(labels.eq(255), 0);
      expect(differenceOf(found.givenLikelihood, known)).toBeLessThan(1e-6);
    }
  });

  test("with mirroring, the logits are the mean over both sides", () => {
    const sides: Network = (images) => images.narrow(1, 0, 2).mul(onTestDevice(ops.arange(4)));
    const seen = withMirroring(sides)(onTestDevice(ops.ones([1, 3, 2, 4])));
    expect(seen.toArray()).toEqual([Array(2).fill(Array(2).fill(Array(4).fill(1.5)))]);
  });

  test("rejects logits that are not finite, in kernel and bands", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const broken = ops.zeros([1, 3, 4, 4], { dtype, device: testDevice });
      broken.select(2, 1).fill_(Number.NaN);
      expect(() => predictLabels(identity, broken, [8, 8])).toThrow(/NaN or infinity/);
    }
  });

  test("rejects a network's list of outputs", () => {
    const flat: Network = (images) => images.reshape([-1]);
    expect(() => predictLabels(flat, ops.zeros([1, 3, 4, 4]), [8, 8])).toThrow(
      /lowLogits\(\): expected logits \[1, C, h, w\].*got \[48\]/,
    );
  });
});

describe("confidence of several views", () => {
  const image = () => storedTensor(golden.inference.image);

  test.each(["mmseg", "openseg", "hrnet"] as const)("%s: of the combined likelihoods", (name) => {
    const view = views.find((candidate) => candidate.name === name)!;
    const scores = storedTensor(view.scores);
    const likelihoods = {
      mmseg: () => scores,
      openseg: () => scores.div(14).softmax(1),
      hrnet: () => scores.div(scores.sum([1], { keepdim: true })),
    }[name]();
    const deviation = likelihoods.sub(1 / 3);
    const expected = deviation
      .mul(deviation)
      .sum([1])
      .mul(3 / 2)
      .mul(2)
      .sub(1);
    const { confidence, labels } = predictWithConfidence(
      goldenNetwork(),
      image(),
      view.final,
      optionsOf(view),
    );
    expect(differenceOf(confidence, expected)).toBeLessThan(1e-12);
    expect(labels.toTypedArray()).toEqual(scores.argmax(1).to("cpu", "uint8").toTypedArray());
  });

  test("hrnet's exponentials do not overflow", () => {
    const network = goldenNetwork();
    const steep: Network = (images) => network(images).mul(40);
    const low = image().to("float32");
    const options = { augmentation: { ...AUGMENTATIONS.hrnet, windowAboveOne: null } };
    const spread = steep(low).max().item() - steep(low).amax([1]).min().item();
    expect(spread).toBeGreaterThan(100);
    const { confidence } = predictWithConfidence(steep, low, [21, 27], options);
    expect(confidence.isfinite().all().item()).toBe(1);
    const exact = predictLabels(steep, image(), [21, 27], options);
    expect(predictLabels(steep, low, [21, 27], options).toTypedArray()).toEqual(exact.toTypedArray());
  });

  test("kl is refused, as the uncertainty is no part of the logits", () => {
    expect(() =>
      predictWithConfidence(goldenNetwork(), image(), [21, 27], { augmentation: "mmseg", indicator: "kl" }),
    ).toThrow(/logScale of an uncertainty head for indicator kl/);
  });
});

test("presets are those of their systems", () => {
  const common = [0.5, 0.75, 1, 1.25, 1.5, 1.75];
  expect(AUGMENTATIONS.mmseg).toMatchObject({
    scales: common,
    flip: true,
    rule: "meanLikelihoods",
    alignCorners: false,
  });
  expect(AUGMENTATIONS.openseg).toMatchObject({
    scales: [...common, 2],
    flip: true,
    rule: "sumLogits",
    alignCorners: true,
  });
  expect(AUGMENTATIONS.hrnet).toMatchObject({
    scales: common,
    flip: true,
    rule: "expMeanLogits",
    windowAboveOne: { crop: [512, 1024], stride: [512, 1024] },
  });
  expect(scaledSize([21, 27], 1.25, "nearest")).toEqual([26, 34]);
  expect(scaledSize([21, 26], 1.25, "nearest")).toEqual([26, 33]);
  expect(scaledSize([21, 26], 1.25, "down")).toEqual([26, 32]);
  expect(() => scaledSize([21, 27], 0, "down")).toThrow(/positive scale, got 0/);
});

test.each([
  [
    [7, 9],
    [13, 4],
  ],
  [
    [5, 3],
    [1, 1],
  ],
  [
    [1, 4],
    [6, 5],
  ],
] as const)("aligned corners: %j to %j rows and columns as F.interpolate", (from, to) => {
  manualSeed(2);
  const map = onTestDevice(ops.randn([1, 2, ...from], { dtype: "float64" }));
  const rows = resizedRows(wholeRows(map), to, true);
  const bands = Array.from({ length: to[0] }, (_, i) => rows.rows(i, i + 1));
  expect(differenceOf(ops.cat(bands, 2), ops.upsampleBilinear2d(map, to, true, null))).toBeLessThan(1e-14);
});

test("a network's intermediate tensors and all bands are freed", () => {
  const before = memory().tensors;
  tidy(() => {
    const image = storedTensor(golden.inference.image);
    const held = memory().tensors;
    using labels = predictLabels(goldenNetwork(), image, [21, 27], { augmentation: "mmseg" });
    expect(labels.shape).toEqual([1, 21, 27]);
    // The labels, and the two weights of the golden network.
    expect(memory().tensors).toBe(held + 3);
  });
  expect(memory().tensors).toBe(before);
});

test("bands keep to their memory, whatever the view", () => {
  const asked: number[] = [];
  const watched = (source: RowSource): RowSource => ({
    ...source,
    rows: (from, to) => {
      asked.push(to - from);
      return source.rows(from, to);
    },
  });
  tidy(() => {
    const low = wholeRows(ops.randn([1, 150, 64, 64]));
    // 150 classes at 896×1195 would take 642 MB; from there down to 512×683.
    const rows = watched(resizedRows(resizedRows(low, [896, 1195]), [512, 683]));
    expect(rows.rowBytes).toBeGreaterThan(150 * 4 * (1195 * 1.75 + 683));
    expect(bandRows(rows) * rows.rowBytes).toBeLessThanOrEqual(2 ** 26);
    expect(bandRows(rows, 1)).toBe(1);
    labelsOfRows(rows, 2 ** 25);
    expect(Math.max(...asked)).toBe(bandRows(rows, 2 ** 25));
    expect(asked.reduce((a, b) => a + b)).toBe(512);
  });
});

test("labelsOfRows() names the rows with NaN", () => {
  const rows = {
    images: 1,
    classes: 2,
    size: [4, 3] as const,
    rowBytes: 24,
    rows: (from: number, to: number) => ops.full([1, 2, to - from, 3], from >= 2 ? Number.NaN : 1),
  };
  expect(() => labelsOfRows(rows, 1)).toThrow(/at or below row 2/);
});
