import type { InputFile } from "../input-file.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { readZipDirectory, type ZipEntry } from "./zip-directory.ts";
import { readZipEntry, STORED } from "./zip-entry.ts";

/** A zip archive of which single entries are read, together never more bytes than the file has. */
export class ZipArchive {
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
 * False for what torch.save() writes after `torch.serialization.set_crc32_options(False)`: a stored entry with a checksum
 * of 0. Only where every entry is such a one was the archive written so; a single 0 among checksums is damage.
 */
function mayHaveChecksum({ crc32, method }: ZipEntry): boolean {
  return crc32 !== 0 || method !== STORED;
}
