import { constants, readFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Opening a pipe that nobody writes to waits for ever, and a device has no end. */
const NOT_REGULAR = "expected a regular file, got a folder, pipe or device";

/**
 * Reads a whole file, which must be a regular one: a data set may hold pipes and links to devices.
 *
 * @throws If it cannot be read, or is none; the message does not name it.
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const stat = await file.stat();
  if (!stat.isFile()) throw new Error(NOT_REGULAR);
  return (await readAtOnce(file, stat.size)) ?? (await file.readFile());
}

/** Larger files are read piece by piece, which takes little longer then. */
const MOST_AT_ONCE = 2 ** 26;

/**
 * Reads a file by one request, where `readFile` makes one for every half megabyte.
 *
 * @returns Undefined where the file is large, or has not what its size says (those of /proc have none).
 */
async function readAtOnce(file: FileHandle, size: number): Promise<Buffer | undefined> {
  if (size === 0 || size > MOST_AT_ONCE) return undefined;
  const bytes = Buffer.allocUnsafeSlow(size);
  const { bytesRead } = await file.read(bytes, 0, size, 0);
  return bytesRead === size ? bytes : undefined;
}

/** As {@link readRegularFile}, at once, as text in UTF-8. */
export function readRegularText(path: string): string {
  requireRegularFile(path);
  return readFileSync(path, "utf8");
}

/** @throws If there is no such file, or it is no regular one: for readers that open it by themselves. */
export function requireRegularFile(path: string): void {
  if (!statSync(path).isFile()) throw new Error(NOT_REGULAR);
}
