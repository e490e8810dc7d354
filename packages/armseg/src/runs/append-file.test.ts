import fs from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { AppendFile } from "./append-file.ts";
import { temporaryFolder } from "./testing/folders.ts";

const PIECE = Buffer.from("line\n");

/** An open file with one piece in it, in a folder of its own. */
function openedFile() {
  const folder = join(temporaryFolder(), "run");
  fs.mkdirSync(folder);
  const path = join(folder, "log");
  const file = new AppendFile(path, "new");
  onTestFinished(() => file[Symbol.dispose]());
  file.append(PIECE);
  return { folder, path, file };
}

test.each<[string, (folder: string) => void, RegExp]>([
  ["removed", (folder) => fs.rmSync(folder, { recursive: true }), /log is gone/],
  ["moved", (folder) => fs.renameSync(folder, `${folder}-elsewhere`), /log is gone/],
  [
    "replaced",
    (folder) => {
      fs.renameSync(join(folder, "log"), join(folder, "old"));
      fs.writeFileSync(join(folder, "log"), "");
    },
    /log is another file now/,
  ],
])("a file that was %s is no longer written to, and named", (_, change, message) => {
  const { folder, file } = openedFile();
  change(folder);
  expect(() => file.append(PIECE)).toThrow(message);
  expect(() => file.flush()).toThrow(message);
});

test.each([
  ["EDQUOT", "quota is used up"],
  ["ENOSPC", "free some space"],
])("a piece that is half written when the disk takes no more (%s) is taken back", (code, remedy) => {
  const { path, file } = openedFile();
  const { writeSync } = fs;
  let calls = 0;
  const spy = vi.spyOn(fs, "writeSync").mockImplementation(((descriptor: number, piece: Uint8Array) => {
    if (calls++ === 0) return writeSync(descriptor, piece, 0, 2);
    throw Object.assign(new Error(code), { code });
  }) as typeof fs.writeSync);
  expect(() => file.append(PIECE)).toThrow(`could not write ${path}: ${code}.`);
  calls = 0;
  expect(() => file.append(PIECE)).toThrow(remedy);
  spy.mockRestore();
  file.append(PIECE);
  expect(fs.readFileSync(path, "utf8")).toBe("line\nline\n");
});
