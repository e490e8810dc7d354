import { DataError, messageOf } from "../data-error.ts";
import { readBytes } from "../labels/raw-mask.ts";

/**
 * Returns a text file's content, without a byte order mark.
 *
 * UTF-8 unless the bytes say UTF-16, by a byte order mark or by the zeros beside a first ASCII character; XML may declare another encoding.
 *
 * @throws {DataError} If the file cannot be read, or holds bytes that are no text of its encoding: names would be garbled.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(
      `readText(): expected text in ${encoding}, got other bytes in ${path} (${messageOf(cause)}); save it as UTF-8`,
      path,
      cause,
    );
  }
}

function encodingOf(bytes: Uint8Array): string {
  const [a = 1, b = 1] = bytes;
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return "utf-16le";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return "utf-16be";
  const start = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  const declared = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/i.exec(start)?.[1];
  // Bytes that were read as ASCII so far are not UTF-16, whatever an editor left in the declaration.
  return declared && !/^utf-?16/i.test(declared) ? declared.toLowerCase() : "utf-8";
}
