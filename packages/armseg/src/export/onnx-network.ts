import { ops, type Tensor, tidy } from "@armseg/torch";
import type { Network } from "../evaluation/index.ts";
import type { ModelMetadata } from "./metadata.ts";
import { RuntimeSession } from "./runtime/session.ts";

/** A model that is called as a network is. */
export interface OnnxNetwork extends Disposable {
  /** Images `[N, 3, H, W]`, levels of 0 to 255 and not normalised, to logits `[N, C, H, W]`. */
  readonly logits: Network;
}

/**
 * Opens a model as a network.
 *
 * ln p stands in for the logits of a model that gives likelihoods, as softmax(ln p) = p. One that gives classes can only name the class of each
 * pixel: its logits are 1 and 0.
 *
 * @throws {RuntimeMissingError} If `onnxruntime-node` is not installed.
 */
export function openOnnxNetwork(path: string, { output, classes }: ModelMetadata): OnnxNetwork {
  const session = new RuntimeSession(path);
  const logits = (images: Tensor): Tensor =>
    tidy(() => {
      const found = session.run(images).get(output);
      if (!found)
        throw new Error(`${path}: expected an output named ${output}, which its metadata promise, got none`);
      if (output === "logits") return found;
      if (output === "likelihoods") return found.clamp(SMALLEST).log();
      return oneHot(found, classes.length);
    });
  return { logits, [Symbol.dispose]: () => session[Symbol.dispose]() };
}

/** The smallest normal float32. */
const SMALLEST = 2 ** -126;

/** @param labels - uint8 `[N, H, W]`. @returns float32 `[N, C, H, W]`. */
function oneHot(labels: Tensor, classes: number): Tensor {
  const [batch, height, width] = labels.shape as [number, number, number];
  const index = labels.to("cpu", "int64").unsqueeze(1);
  return ops.zeros([batch, classes, height, width]).scatter_(1, index, 1);
}
