import { saveSafetensors } from "@armseg/torch";
import type { Segmenter } from "../segmenter.ts";
import { isOursAlone } from "./mmsegmentation.ts";

export interface SaveWeightsOptions {
  /** Whose names; mmsegmentation's leave out what only our networks have (the head of the KL loss). Default armseg. */
  readonly names?: "armseg" | "mmsegmentation";
  /** Free text kept in the file. */
  readonly metadata?: Iterable<readonly [string, string]>;
}

/**
 * Writes a network's parameters and running statistics to a safetensors file, atomically.
 *
 * To run them in mmsegmentation: `torch.save({"state_dict": safetensors.torch.load_file(path)}, "model.pth")`.
 *
 * @throws {FileAccessError} If the file cannot be written.
 */
export function saveWeights(network: Segmenter, path: string, options: SaveWeightsOptions = {}): void {
  const { names = "armseg", metadata = [] } = options;
  const state = [...network.stateDict()].filter(([name]) => names === "armseg" || !isOursAlone(name));
  saveSafetensors(path, state, [["format", "pt"], ["armseg.names", names], ...metadata]);
}
