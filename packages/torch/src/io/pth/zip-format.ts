import type { InputFile } from "../input-file.ts";
import { ByteSource } from "../pickle/byte-source.ts";
import { MAX_PICKLE_BYTES } from "../pickle/machine.ts";
import { ByteBudget } from "./byte-budget.ts";
import { TensorTable } from "./tensor-table.ts";
import type { PthValue } from "./tree.ts";
import { type ReadPthOptions, unpickleTorch } from "./unpickle.ts";
import { readZipDirectory, type ZipEntry } from "./zip-directory.ts";
import { readZipEntry, STORED } from "./zip-entry.ts";

/** `kMaxSupportedFileFormatVersion` of PyTorch's `caffe2/serialize/versions.h`. */
const MAX_VERSION = 10;
const MAX_NOTE_BYTES = 64;
const PICKLE = "data.pkl";

/**
 * Reads the format of torch.save() since PyTorch 1.6: a zip archive of `<root>/data.pkl`, one `<root>/data/<key>`
 * per storage, `<root>/version` and, later, `<root>/byteorder`.
 */
export function readZipFormat(file: InputFile, options: ReadPthOptions): PthValue {
  const budget = new ByteBudget(file.size, file.error);
  const archive = new ZipArchive(file, budget);
  const root = findRoot(file, archive);
  checkNotes(file, archive, root);
  const source = ByteSource.of(archive.read(root + PICKLE, MAX_PICKLE_BYTES), file.error);
  const tensors = new TensorTable(file.error);
  const tree = unpickleTorch(source, tensors, () => {}, options);
  tensors.fill((key) => archive.read(`${root}data/${key}`), budget);
  return tree;
}

/** Finds the folder around everything: the name the file had when it was saved. */
function findRoot(file: InputFile, archive: ZipArchive): string {
  const pickles = archive.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [only] = pickles;
  if (only === undefined || pickles.length !== 1) {
    throw file.error(
      `expected one <root>/${PICKLE} in the zip archive, got ${pickles.length}`,
      "is it a .pth file?",
    );
  }
  const root = only.slice(0, -PICKLE.length);
  if (archive.has(`${root}constants.pkl`)) {
    throw file.error("refuses a TorchScript program", "save its state_dict() with torch.save()");
  }
  return root;
}

function checkNotes(file: InputFile, archive: ZipArchive, root: string): void {
  const version = readNote(archive, `${root}version`) ?? "3";
  if (!/^\d{1,3}$/.test(version) || Number(version) > MAX_VERSION) {
    throw file.error(`expected a file format version up to ${MAX_VERSION}, got ${JSON.stringify(version)}`);
  }
  const order = readNote(archive, `${root}byteorder`) ?? "little";
  if (order !== "little") {
    throw file.error(
      `expected little-endian storages, got ${JSON.stringify(order)}`,
      "save it on such a machine",
    );
  }
}

function readNote(archive: ZipArchive, name: string): string | undefined {
  if (!archive.has(name)) return undefined;
  return Buffer.from(archive.read(name, MAX_NOTE_BYTES)).toString("latin1").trim();
}

/** A zip archive of which single entries are read, together never more bytes than the file has. */
class ZipArchive {
  readonly names: readonly string[];
  readonly #file: InputFile;
  readonly #budget: ByteBudget;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  readonly #hasChecksums: boolean;
  #bytesRead = 0;

  constructor(file: InputFile, budget: ByteBudget) {
    this.#file = file;
    this.#budget = budget;
    this.#entries = readZipDirectory(file);
    this.#hasChecksums = [...this.#entries.values()].some(mayHaveChecksum);
    this.names = [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** @param maxBytes - Refuses an entry that claims more before reading it. */
  read(name: string, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
    const entry = this.#entries.get(name);
    if (entry === undefined)
      throw this.#file.error(`expected an entry ${name}, got none`, "fetch the file again");
    if (entry.size > maxBytes) {
      throw this.#file.error(`entry ${name}: expected at most ${maxBytes} bytes, got ${entry.size}`);
    }
    this.#bytesRead += entry.compressedSize;
    // Entries laid over each other would make a small file large in memory.
    if (this.#bytesRead > this.#file.size)
      throw this.#file.error("refuses a zip archive whose entries overlap");
    return readZipEntry(this.#file, entry, { budget: this.#budget, isChecked: this.#hasChecksums });
  }
}

/**
 * Returns false for what torch.save() writes after `torch.serialization.set_crc32_options(False)`: a stored entry with a
 * checksum of 0. Only where every entry is such a one was the archive written so; a single 0 among checksums is damage.
 */
function mayHaveChecksum({ crc32, method }: ZipEntry): boolean {
  return crc32 !== 0 || method !== STORED;
}
