import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { FileAccessError, reasonOf } from "./file-errors.ts";
import { PickleWriter } from "./pickle/writer.ts";
import { STORAGE_TYPES } from "./pth/storage-types.ts";
import { byteLengthOf, type DTypeName } from "./raw-tensor.ts";

/** A tensor to write. */
export interface PthSource {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  /** Returns its elements, row-major and little-endian; called when their turn comes. */
  readonly data: () => Uint8Array;
}

/** The folder in the archive; any name will do. */
const FOLDER = "archive";

/**
 * Writes a state dict as `torch.save` does since PyTorch 1.6: a zip archive with a pickle that names tensors, and the bytes of each, uncompressed.
 *
 * The file is whole or is not there; of the tensors one at a time is in memory.
 *
 * @throws {FileAccessError} If the file cannot be written.
 */
export async function writePth(path: string, tensors: Iterable<readonly [string, PthSource]>): Promise<void> {
  const sources = [...tensors];
  const temporary = join(dirname(path), `.armseg-${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
  try {
    await pipeline(
      archiveOf(sources).outputStream,
      createWriteStream(temporary, { flags: "wx", flush: true }),
    );
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new FileAccessError(`writePth(): ${path}: cannot be written: ${reasonOf(error)}`, path, {
      cause: error,
    });
  }
}

function archiveOf(sources: readonly (readonly [string, PthSource])[]): ZipFile {
  const archive = new ZipFile();
  const options = { compress: false, mtime: new Date(1980, 0, 1) };
  archive.addBuffer(stateDictPickle(sources), `${FOLDER}/data.pkl`, options);
  archive.addBuffer(Buffer.from("little"), `${FOLDER}/byteorder`, options);
  for (const [i, [, { dtype, shape, data }]] of sources.entries()) {
    const size = byteLengthOf(dtype, shape) as number;
    archive.addReadStreamLazy(`${FOLDER}/data/${i}`, { ...options, size }, (use) =>
      use(null, Readable.from([data()])),
    );
  }
  archive.addBuffer(Buffer.from("3\n"), `${FOLDER}/version`, options);
  archive.end();
  return archive;
}

/** Names of the storages by dtype. */
const STORAGE_NAMES = new Map(Object.entries(STORAGE_TYPES).map(([name, dtype]) => [dtype, name]));

function stateDictPickle(sources: readonly (readonly [string, PthSource])[]): Buffer {
  const pickle = new PickleWriter();
  pickle.dictionary(() => {
    for (const [i, [name, source]] of sources.entries()) {
      pickle.text(name);
      writeTensor(pickle, String(i), source);
    }
  });
  return pickle.finish();
}

function writeTensor(pickle: PickleWriter, key: string, { dtype, shape }: PthSource): void {
  const integers = (values: readonly number[]) =>
    pickle.tuple(() => {
      for (const value of values) pickle.integer(value);
    });
  pickle.call("torch._utils", "_rebuild_tensor_v2", () => {
    pickle.persistent(() => {
      pickle
        .text("storage")
        .global("torch", STORAGE_NAMES.get(dtype) as string)
        .text(key)
        .text("cpu");
      pickle.integer(shape.reduce((product, size) => product * size, 1));
    });
    pickle.integer(0); // offset
    integers(shape);
    integers(shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1)));
    pickle.false(); // requires no gradient
    pickle.call("collections", "OrderedDict", () => {}); // hooks
  });
}
