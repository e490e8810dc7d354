import { readFileSync, writeSync } from "node:fs";

/** The input that a process tries just now. */
export interface InHand {
  /** Index of its reader. */
  readonly reader: number;
  readonly number: number;
}

/** Writes it into an open file, in place of the one before. */
export function writeInHand(descriptor: number, { reader, number }: InHand): void {
  writeSync(descriptor, new Uint8Array(Float64Array.of(reader, number).buffer), 0, 16, 0);
}

/** @returns Undefined where the process has not begun. */
export function readInHand(path: string): InHand | undefined {
  try {
    const bytes = readFileSync(path);
    return { reader: bytes.readDoubleLE(0), number: bytes.readDoubleLE(8) };
  } catch {
    return undefined;
  }
}
