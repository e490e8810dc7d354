import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";

/**
 * Unpacks the files of a zip that lie in `<root>/include`, `<root>/lib` or `<root>/bin`, without `root` in their names.
 *
 * Names that lead out of the folder are refused by the reader.
 *
 * @throws {Error} If it is no zip, or a damaged one.
 */
export async function unpack(archive: string, root: string, folder: string): Promise<void> {
  const wanted = new RegExp(`^${root}/((?:include|lib|bin)/.*[^/])$`);
  const zip = await openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const name = wanted.exec(entry.fileName)?.[1];
      if (name === undefined) continue;
      const target = join(folder, name);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
    }
  } finally {
    zip.close();
  }
}
