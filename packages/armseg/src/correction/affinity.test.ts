import { gradients, manualSeed, ops, type Tensor, tidy } from "@armseg/torch";
import { onTestDevice } from "@armseg/torch/testing";
import { expect, test } from "vitest";
import { Affinity } from "./affinity.ts";

const STD = [50, 60, 70] as const;
const [H, W, C] = [7, 9, 3];

/** The energy as DESIGN 6.3 has it, pixel by pixel; images and labels in the logits' resolution. */
function slowEnergy(
  likelihoods: number[][][],
  image: number[][][],
  isVoid: (y: number, x: number) => boolean,
) {
  let [energy, total] = [0, 0];
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++)
      for (let v = 0; v < H; v++)
        for (let u = 0; u < W; u++) {
          const isPair = (y !== v || x !== u) && Math.abs(y - v) <= 5 && Math.abs(x - u) <= 5;
          if (!isPair || !isVoid(y, x)) continue;
          const colour = STD.reduce(
            (sum, std, k) => sum + (((image[k]![y]![x]! - image[k]![v]![u]!) * std) / 255) ** 2,
            0,
          );
          const kernel = Math.exp(-0.5 * (((y - v) ** 2 + (x - u) ** 2) / 36 + colour / 0.01));
          const same = likelihoods.reduce((sum, map) => sum + map[y]![x]! * map[v]![u]!, 0);
          energy += kernel * (1 - same);
          total += kernel;
        }
  return energy / total;
}

function inputs() {
  manualSeed(3);
  const logits = onTestDevice(ops.randn([1, C, H, W]).mul(2))
    .detach()
    .requiresGrad_();
  const images = onTestDevice(ops.randn([1, 3, H, W]).mul(0.3));
  const labels = onTestDevice(ops.randint(0, 2, [1, H, W]).mul(255).to("cpu", "uint8"));
  return { logits, images, labels };
}

test("the energy is that of the definition", () => {
  tidy(() => {
    const { logits, images, labels } = inputs();
    const likelihoods = logits.detach().softmax(1).select(0, 0).toArray() as number[][][];
    const image = images.select(0, 0).toArray() as number[][][];
    const label = labels.select(0, 0).toArray() as number[][];
    const expected = slowEnergy(likelihoods, image, (y, x) => label[y]![x] === 255);
    expect(new Affinity(0.1, STD).call({ logits, images, labels }).item()).toBeCloseTo(expected, 5);
  });
});

test("the gradient is that of the energy, by finite differences", () => {
  tidy(() => {
    const { logits, images, labels } = inputs();
    const affinity = new Affinity(0.1, STD);
    const [gradient] = gradients([affinity.call({ logits, images, labels })], [logits]) as [Tensor];
    for (const [channel, y, x] of [
      [0, 0, 0],
      [1, 3, 4],
      [2, 6, 8],
    ] as const) {
      const energyAt = (change: number) => {
        const moved = logits.detach().clone();
        moved.select(1, channel).select(1, y).select(1, x).add_(change);
        return affinity.call({ logits: moved, images, labels }).item();
      };
      const slope = (energyAt(0.05) - energyAt(-0.05)) / 0.1;
      expect(gradient.select(1, channel).select(1, y).select(1, x).item()).toBeCloseTo(slope, 4);
    }
  });
});

test("where every pixel is labelled, or the maps are smaller than the window, nothing is lost", () => {
  tidy(() => {
    const { logits, images, labels } = inputs();
    const affinity = new Affinity(0.1, STD);
    const loss = affinity.call({ logits, images, labels: labels.zerosLike() });
    expect(loss.item()).toBe(0);
    const [gradient] = gradients([loss], [logits]) as [Tensor];
    expect(gradient.abs().max().item()).toBe(0);
    const one = onTestDevice(ops.ones([1, C, 1, 1]));
    expect(affinity.call({ logits: one, images, labels }).item()).toBe(0);
  });
});

test("likelihoods that agree have no energy; images and labels may be larger than the logits", () => {
  tidy(() => {
    const logits = onTestDevice(ops.zeros([2, C, 4, 4]));
    logits.select(1, 1).fill_(100);
    const images = onTestDevice(ops.randn([2, 3, 16, 16]));
    const labels = onTestDevice(ops.full([2, 16, 16], 255).to("cpu", "uint8"));
    expect(new Affinity(0.1, STD).call({ logits, images, labels }).item()).toBeCloseTo(0, 5);
    expect(new Affinity(0.1, STD).call({ logits: logits.zerosLike(), images, labels }).item()).toBeCloseTo(
      2 / 3,
      5,
    );
  });
});
