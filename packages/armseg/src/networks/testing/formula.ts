import type { nn, Tensor } from "@armseg/torch";
import { fromTypedArray, noGrad, tidy } from "@armseg/torch";
import { onTestDevice } from "@armseg/torch/testing";

/** FNV-1a, 32 bits. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** `count` numbers of [-1, 1), scaled and shifted; as `golden/formula.py`. */
function noise(name: string, count: number, scale: number, shift: number): Float32Array {
  const start = nameHash(name);
  const values = new Float32Array(count); // a plain loop: networks have tens of millions
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b1) + start) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x85ebca6b);
    x ^= x >>> 13;
    x = Math.imul(x, 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = shift + scale * ((x >>> 0) / 2 ** 31 - 1);
  }
  return values;
}

/** Small residual branches keep deep networks well-conditioned, so that float32 can be compared with float64. */
function isLastOfBlock(name: string): boolean {
  return name.endsWith(".bn3.weight") || (name.includes(".branches.") && name.endsWith(".bn2.weight"));
}

function scaleAndShift(name: string, shape: readonly number[]): [scale: number, shift: number] {
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  if (shape.length === 4 && name.endsWith(".weight")) return [Math.sqrt(6 / fanIn), 0];
  if (name.endsWith(".weight")) return isLastOfBlock(name) ? [0.04, 0.2] : [0.2, 1];
  if (name.endsWith(".running_var")) return [0.5, 1];
  return name === "images" || name.startsWith("probe") ? [1, 0] : [0.1, 0];
}

/** The tensor of a name, float32, on the test device. */
export function formula(name: string, shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return onTestDevice(fromTypedArray(noise(name, count, ...scaleAndShift(name, shape)), shape));
}

/** Gives every parameter and buffer the numbers of its name. */
export function fillByFormula(network: nn.AnyModule): void {
  tidy(() =>
    noGrad(() => {
      for (const [name, tensor] of network.stateDict()) {
        if (!name.endsWith("num_batches_tracked")) tensor.copy_(formula(name, tensor.shape));
      }
    }),
  );
}
