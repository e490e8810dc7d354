import fs from "node:fs";
import { dirname } from "node:path";
import { writeFileAtomically } from "./atomic-file.ts";

/** What was measured on a machine, by what it was measured of; a JSON file in the user's cache. */
export class Measurements {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Returns what was measured before, or measures it and keeps it. A file that cannot be read or written costs a measurement, no more.
   *
   * @param key - Names everything that the result depends on.
   */
  once<T>(key: string, isValid: (value: unknown) => value is T, measure: () => T): T {
    const known = this.#read()[key];
    if (isValid(known)) return known;
    const measured = measure();
    this.#write({ ...this.#read(), [key]: measured });
    return measured;
  }

  #read(): Record<string, unknown> {
    try {
      const content: unknown = JSON.parse(fs.readFileSync(this.#file, "utf8"));
      return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : {};
    } catch {
      return {};
    }
  }

  #write(content: Record<string, unknown>): void {
    try {
      fs.mkdirSync(dirname(this.#file), { recursive: true });
      writeFileAtomically(this.#file, `${JSON.stringify(content, null, 2)}\n`);
    } catch {
      // The home may be read-only; it is measured again next time.
    }
  }
}
