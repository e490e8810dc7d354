import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** What a program does to a disk that may be full or gone. */
const OPERATIONS = [
  "writeSync",
  "writeFileSync",
  "fsyncSync",
  "renameSync",
  "mkdirSync",
  "appendFileSync",
] as const;

/** Those whose error says where; that of a write or a flush does not. */
const NAMED: readonly string[] = ["renameSync", "mkdirSync"];

/** What the operating system says of a disk. */
const REASONS = {
  ENOSPC: "no space left on device",
  EDQUOT: "disk quota exceeded",
  EACCES: "permission denied",
  EROFS: "read-only file system",
} as const;

export type DiskFault = keyof typeof REASONS;

/** A disk whose n-th operation, counted from 1, fails as one that is full does, or in another way. */
export class FailingDisk implements Disposable {
  readonly #originals = OPERATIONS.map((name) => [name, fs[name]] as const);
  #count = 0;

  /**
   * @param n - Which operation fails; 0 for none.
   * @param isPersistent - Whether all after it fail too.
   * @param code - How it fails.
   */
  constructor(n: number, isPersistent: boolean, code: DiskFault = "ENOSPC") {
    for (const [name, original] of this.#originals) {
      const failing = (...args: unknown[]) => {
        this.#count++;
        if (this.#count === n || (isPersistent && n > 0 && this.#count > n)) {
          const where = NAMED.includes(name) ? ` '${args[0]}'` : "";
          const message = `${code}: ${REASONS[code]}, ${name.replace("Sync", "")}${where}`;
          throw Object.assign(new Error(message), { code });
        }
        return (original as (...args: unknown[]) => unknown)(...args);
      };
      (fs as unknown as Record<string, unknown>)[name] = failing;
    }
    syncBuiltinESMExports(); // for those who import the functions by name
  }

  /** Operations so far. */
  get count(): number {
    return this.#count;
  }

  /** The disk works again. */
  [Symbol.dispose](): void {
    for (const [name, original] of this.#originals)
      (fs as unknown as Record<string, unknown>)[name] = original;
    syncBuiltinESMExports();
  }
}
