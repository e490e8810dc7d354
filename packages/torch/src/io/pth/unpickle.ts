import type { ByteSource } from "../pickle/byte-source.ts";
import { containerGlobals } from "../pickle/container-globals.ts";
import { PickleMachine } from "../pickle/machine.ts";
import { InertObject } from "../pickle/values.ts";
import { adviceFor } from "./refusal-advice.ts";
import { parseStorage, type Storage } from "./storage.ts";
import type { TensorTable } from "./tensor-table.ts";
import { torchGlobals } from "./torch-globals.ts";
import { checkTree, type PthValue } from "./tree.ts";

/** How {@link readPth} treats what it does not know. */
export interface ReadPthOptions {
  /**
   * A class or function outside the short list of those a state dict needs: `"refuse"` (default) the file with its
   * name, or keep each use as an {@link InertObject}. Neither runs anything.
   */
  readonly unknownGlobals?: "refuse" | "inert";
}

/**
 * Reads the pickle of a `.pth` file; its tensors are noted in the table, to be filled afterwards.
 *
 * @param noteStorage - Told of every storage named.
 */
export function unpickleTorch(
  source: ByteSource,
  tensors: TensorTable,
  noteStorage: (storage: Storage) => void,
  options: ReadPthOptions = {},
): PthValue {
  const { error } = source;
  const globals = new Map([...containerGlobals(error), ...torchGlobals(tensors, error)]);
  const findGlobal = (module: string, name: string): unknown => {
    const fullName = `${module}.${name}`;
    if (globals.has(fullName)) return globals.get(fullName);
    if (options.unknownGlobals === "inert") return new InertObject(fullName, null);
    const what = `refuses the global ${fullName.slice(0, 200)}, which is not read here; nothing was run`;
    throw error(what, adviceFor(fullName));
  };
  const loadPersistent = (id: unknown): Storage => {
    const storage = parseStorage(id, error);
    noteStorage(storage);
    return storage;
  };
  return checkTree(new PickleMachine(source, { error, findGlobal, loadPersistent }).run(), error);
}

/** Reads a pickle that may hold plain values only: the preamble and the key list of the older format. */
export function unpicklePlain(source: ByteSource): PthValue {
  const { error } = source;
  const refuse = (what: string) =>
    error(`expected plain numbers and text here, got ${what}`, "fetch the file again");
  const machine = new PickleMachine(source, {
    error,
    findGlobal: (module, name) => {
      throw refuse(`the global ${module}.${name}`);
    },
    loadPersistent: () => {
      throw refuse("a storage");
    },
  });
  return checkTree(machine.run(), error);
}
