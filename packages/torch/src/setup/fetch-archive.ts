import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Archive, describeArchive, fileOf } from "./archives.ts";
import { archiveFolder } from "./cache.ts";
import { type DownloadOptions, download, verifyFile } from "./download.ts";
import { type Libtorch, libtorchIn } from "./libtorch.ts";
import { unpack } from "./unpack.ts";

/** Returns the folder that an archive is unpacked into. */
export function folderOf({ version, variant }: Archive): string {
  return join(archiveFolder(), `${version}-${variant}`);
}

/** Writes how far a download is: a line that is overwritten on a terminal, one for each tenth elsewhere. */
function progressOn(stream: NodeJS.WriteStream): NonNullable<DownloadOptions["onProgress"]> {
  let shown = -1;
  return (bytes, total) => {
    const done = total === undefined ? Math.floor(bytes / 50e6) : Math.floor((100 * bytes) / total);
    if (done === shown || (!stream.isTTY && done < shown + 10)) return;
    shown = done;
    const megabytes = `${(bytes / 1e6).toFixed(0)}${total === undefined ? "" : ` of ${(total / 1e6).toFixed(0)}`} MB`;
    stream.write(stream.isTTY ? `\r  ${megabytes}\u001b[K` : `  ${megabytes}\n`);
    if (stream.isTTY && bytes === total) stream.write("\n");
  };
}

/**
 * Downloads an archive into the cache of the user and unpacks it.
 *
 * @throws {DownloadError} If it cannot be downloaded, or is not what it should be.
 */
export async function fetchArchive(archive: Archive): Promise<Libtorch> {
  const folder = folderOf(archive);
  const file = join(archiveFolder(), fileOf(archive));
  process.stdout.write(`Downloading ${describeArchive(archive)} from ${archive.url}\n`);
  if (existsSync(file)) await verifyFile(file, archive.sha256);
  else {
    const { url, sha256 } = archive;
    await download({ url, sha256, file, onProgress: progressOn(process.stdout) });
  }
  process.stdout.write(`Unpacking into ${folder}\n`);
  const temporary = `${folder}.${process.pid}.tmp`;
  await unpack(file, archive.root, temporary);
  rmSync(folder, { recursive: true, force: true });
  renameSync(temporary, folder);
  rmSync(file);
  const found = libtorchIn("armseg's cache", folder);
  if (found) return found;
  throw new Error(`fetchArchive(): expected a libtorch in ${fileOf(archive)}, got none in ${folder}`);
}
