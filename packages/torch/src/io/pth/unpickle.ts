import type { ByteSource } from "../pickle/byte-source.ts";
import { containerGlobals } from "../pickle/container-globals.ts";
import { runPickle } from "../pickle/opcodes.ts";
import { InertObject } from "../pickle/values.ts";
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
  return checkTree(runPickle(source, { error, findGlobal, loadPersistent }), error);
}

/** Reads a pickle that may hold plain values only: the preamble and the key list of the older format. */
export function unpicklePlain(source: ByteSource): PthValue {
  const { error } = source;
  const refuse = (what: string) =>
    error(`expected plain numbers and text here, got ${what}`, "fetch the file again");
  const value = runPickle(source, {
    error,
    findGlobal: (module, name) => {
      throw refuse(`the global ${module}.${name}`);
    },
    loadPersistent: () => {
      throw refuse("a storage");
    },
  });
  return checkTree(value, error);
}

/** Modules and functions that run commands or reach the machine: no honest checkpoint names one. */
const DANGEROUS =
  /^(os|posix|nt|subprocess|sys|shutil|runpy|importlib|socket|pty|ctypes|webbrowser|code)(\.|$)|^(builtins|__builtin__)\.(eval|exec|execfile|compile|__import__|open)$/;

const PLAIN =
  'save the state dict alone, or read the file with { unknownGlobals: "inert" }, which keeps such objects as records';

/** Tells what to do about a file that names a global not known here. */
function adviceFor(globalName: string): string {
  if (DANGEROUS.test(globalName)) return "do not open this file with torch.load(): it would run that";
  if (globalName === "torch.storage._load_from_bytes") return "save tensors, not storages";
  if (/sparse/.test(globalName)) return "sparse tensors are not read: save tensor.to_dense()";
  if (/qtensor|\.Q\w+Storage$|\.qu?int/.test(globalName)) {
    return "quantized tensors are not read: save tensor.dequantize()";
  }
  if (/Complex|\.complex/.test(globalName))
    return "complex tensors are not read: save torch.view_as_real(tensor)";
  return PLAIN;
}
