import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new folder, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), "armseg-test-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A disk of so many KiB, in memory, unmounted on dispose. Mounting needs root: ask `isAvailable` first. */
export function tinyFileSystem(sizeKiB: number): { readonly folder: string } & Disposable {
  const folder = fs.mkdtempSync(join(tmpdir(), "armseg-disk-"));
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKiB}k`, "tmpfs", folder]);
  const unmount = () => {
    if (status === 0) spawnSync("umount", ["-l", folder]);
    fs.rmdirSync(folder);
  };
  if (status === 0) return { folder, [Symbol.dispose]: unmount };
  unmount();
  throw new Error("tinyFileSystem(): tmpfs could not be mounted.");
}

tinyFileSystem.isAvailable = (): boolean => {
  if (process.getuid?.() !== 0) return false;
  try {
    tinyFileSystem(64)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
};
