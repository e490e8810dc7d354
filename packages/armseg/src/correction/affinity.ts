import { noGrad, type Tensor, tensor, tidy } from "@armseg/torch";
import { IGNORE_INDEX } from "../core/ignore-index.ts";

/** Pixels on each side of one that count as its neighbours: a window of 11×11. */
const RADIUS = 5;
/** Standard deviation of the distance, in pixels of the logits. */
const DISTANCE_SIGMA = 6;
/** Standard deviation of the colour, each channel in [0, 1]. */
const COLOUR_SIGMA = 0.1;

export interface AffinityInputs {
  /** `[N, C, h, w]`. */
  readonly logits: Tensor;
  /** Normalised, float32, `[N, 3, H, W]`. */
  readonly images: Tensor;
  /** Class of each pixel and the ignore index, uint8, `[N, H, W]`. */
  readonly labels: Tensor;
}

/**
 * Asks neighbours of like colour for like classes where nothing is labelled: a gated CRF (Obukhov et al. 2019; DESIGN 6.3).
 *
 * The energy is Σ k_ij·(1 − p_i·p_j) / Σ k_ij over the pairs in a window whose first pixel carries no label, with
 * k_ij = exp(−½(|Δxy|²/6² + |Δrgb|²/0.1²)), in the logits' resolution; there a pixel counts by the unlabelled share of its area.
 * The gradient is found along with the energy, so that autograd keeps nothing of the 120 neighbours.
 */
export class Affinity {
  /** Of the energy in the loss. */
  readonly weight: number;
  readonly #std: readonly [number, number, number];

  /** @param std - What red, green and blue were divided by, of 0..255. */
  constructor(weight: number, std: readonly [number, number, number]) {
    this.weight = weight;
    this.#std = std;
  }

  /** Returns the energy before its weight, float32 `[]`, in [0, 1]; 0 where every pixel is labelled. */
  call({ logits, images, labels }: AffinityInputs): Tensor {
    const likelihoods = logits.to(logits.device, "float32").softmax(1);
    const { pull, total } = noGrad(() => {
      const size = [logits.size(2), logits.size(3)];
      const isVoid = labels.eq(IGNORE_INDEX).unsqueeze(1).to(labels.device, "float32");
      return neighbours(likelihoods.detach(), this.#colours(images, size), isVoid.adaptiveAvgPool2d(size));
    });
    // Σ k·p_i·p_j is half of Σ p·pull, and its gradient is pull.
    const agreement = likelihoods.mul(pull).sum().div(total.clampMin(1e-20));
    const isAny = total.gt(0).to(total.device, "float32");
    return isAny.add(agreement.detach().mul(0.5)).sub(agreement);
  }

  /** Red, green and blue of the images in the logits' resolution, in [0, 1] but for a constant. */
  #colours(images: Tensor, size: readonly number[]): Tensor {
    const scale = tensor(
      this.#std.map((std) => std / 255),
      { device: images.device },
    );
    return images.mul(scale.reshape([3, 1, 1])).adaptiveAvgPool2d(size);
  }
}

/** What a pair of pixels weighs, and what each pixel's neighbours say together. */
interface Neighbours {
  /** Σ_j k_ij·p_j for each pixel i, over pairs in both directions. `[N, C, h, w]`. */
  readonly pull: Tensor;
  /** Σ k_ij over all pairs. `[]`. */
  readonly total: Tensor;
}

/** @param gates - How much each pixel counts as the first of a pair, `[N, 1, h, w]`. */
function neighbours(likelihoods: Tensor, colours: Tensor, gates: Tensor): Neighbours {
  const pull = likelihoods.zerosLike();
  const total = likelihoods.newZeros([]);
  for (const [down, right] of halfWindow()) {
    tidy(() => {
      const [first, second] = [-1, 1].map((side) => (map: Tensor) => shifted(map, side * down, side * right));
      if (!first || !second || first(gates).numel === 0) return;
      const colour = first(colours).sub(second(colours)).square().sum([1], { keepdim: true });
      const distance = (down ** 2 + right ** 2) / DISTANCE_SIGMA ** 2;
      const kernel = colour
        .div(COLOUR_SIGMA ** 2)
        .add(distance)
        .mul(-0.5)
        .exp();
      // The pair counts once for either pixel that is void.
      const weights = kernel.mul(first(gates).add(second(gates)));
      first(pull).addcmul_(weights, second(likelihoods));
      second(pull).addcmul_(weights, first(likelihoods));
      total.add_(weights.sum());
    });
  }
  return { pull, total };
}

/** Every pair of neighbours once: the rows below, and what lies to the right in the same row. */
function* halfWindow(): Generator<readonly [down: number, right: number]> {
  for (let down = 0; down <= RADIUS; down++) {
    for (let right = down === 0 ? 1 : -RADIUS; right <= RADIUS; right++) yield [down, right];
  }
}

/**
 * Returns the part of a map, `[N, K, h, w]`, whose pixels have a partner so far down and to the right: with negated steps, those
 * partners.
 */
function shifted(map: Tensor, down: number, right: number): Tensor {
  const along = (part: Tensor, dimension: number, step: number) => {
    const length = Math.max(0, part.size(dimension) - Math.abs(step));
    return part.narrow(dimension, Math.min(part.size(dimension) - length, Math.max(0, step)), length);
  };
  return along(along(map, 2, down), 3, right);
}
