import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runChild, startChild } from "../runs/testing/child.ts";
import { temporaryFolder, tinyFileSystem } from "../runs/testing/folders.ts";
import {
  makeFolderOnce,
  removeTemporaryFiles,
  replaceFileAtomically,
  writeFileAtomically,
  writeNewFile,
} from "./atomic-file.ts";

describe("writeFileAtomically", () => {
  test("writes text and bytes, and leaves nothing else in the folder", () => {
    const folder = temporaryFolder();
    writeFileAtomically(join(folder, "a"), "old");
    writeFileAtomically(join(folder, "a"), Uint8Array.of(1, 2));
    expect([...fs.readFileSync(join(folder, "a"))]).toEqual([1, 2]);
    expect(fs.readdirSync(folder)).toEqual(["a"]);
  });

  test("names the file when the folder is missing", () => {
    const path = join(temporaryFolder(), "missing", "a");
    expect(() => writeFileAtomically(path, "x")).toThrow(`could not write ${path}: ENOENT`);
  });

  test("leaves the old content where a file may not grow far enough (a limit of the process)", () => {
    const path = join(temporaryFolder(), "a");
    fs.writeFileSync(path, "old");
    const code = `import { writeFileAtomically } from "./core/atomic-file.ts";
      writeFileAtomically(${JSON.stringify(path)}, Buffer.alloc(4_000_000));`;
    const { status, stderr } = runChild(code, { fileSizeLimitKiB: 1024 });
    expect(status).toBe(1);
    expect(stderr).toContain(`could not write ${path}: EFBIG`);
    expect(fs.readFileSync(path, "utf8")).toBe("old");
    expect(fs.readdirSync(join(path, ".."))).toEqual(["a"]);
  });

  test("a killed writer leaves the old or the new content, never a mixture", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "a");
    const size = 2_000_000;
    fs.writeFileSync(path, Buffer.alloc(size, 1));
    for (let round = 0; round < 3; round++) {
      const child = await startChild(`import { writeFileAtomically } from "./core/atomic-file.ts";
        console.log("ready");
        for (let i = 1; ; i++) writeFileAtomically(${JSON.stringify(path)}, Buffer.alloc(${size}, i % 250));`);
      await new Promise((done) => setTimeout(done, 20 + 17 * round));
      await child.kill();
      const content = fs.readFileSync(path);
      expect(content.equals(Buffer.alloc(size, content[0]))).toBe(true);
    }
    removeTemporaryFiles(folder);
    expect(fs.readdirSync(folder)).toEqual(["a"]);
  });
});

describe("replaceFileAtomically", () => {
  test("gives the writer a path in the same folder and moves it into place", async () => {
    const folder = temporaryFolder();
    await replaceFileAtomically(join(folder, "a"), (temporary) => {
      expect(join(temporary, "..")).toBe(folder);
      fs.writeFileSync(temporary, "new");
    });
    expect(fs.readFileSync(join(folder, "a"), "utf8")).toBe("new");
  });

  test("leaves the old file and no temporary one when the writer fails", async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, "a"), "old");
    const failing = replaceFileAtomically(join(folder, "a"), async (temporary) => {
      fs.writeFileSync(temporary, "half");
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    await expect(failing).rejects.toMatchObject({
      code: "ENOSPC",
      message: expect.stringContaining("free some space"),
    });
    expect(fs.readFileSync(join(folder, "a"), "utf8")).toBe("old");
    expect(fs.readdirSync(folder)).toEqual(["a"]);
  });
});

test("a file that is only a cache is moved into place without a flush", async () => {
  const folder = temporaryFolder();
  await replaceFileAtomically(join(folder, "a"), (path) => fs.writeFileSync(path, "new"), { flush: false });
  expect(fs.readFileSync(join(folder, "a"), "utf8")).toBe("new");
  expect(fs.readdirSync(folder)).toEqual(["a"]);
});

test("writeNewFile makes the folder, and replaces a file only when told to", () => {
  const path = join(temporaryFolder(), "new", "a");
  writeNewFile("save", path, "old", {});
  expect(() => writeNewFile("save", path, "new", {})).toThrow(
    `save(): ${path} exists and is not overwritten`,
  );
  expect(fs.readFileSync(path, "utf8")).toBe("old");
  writeNewFile("save", path, "new", { overwrite: true });
  expect(fs.readFileSync(path, "utf8")).toBe("new");
});

test("makeFolderOnce makes a folder whole or not at all, and only once", async () => {
  const folder = join(temporaryFolder(), "parent", "made");
  const make = (text: string) => async (unfinished: string) => {
    fs.mkdirSync(unfinished);
    fs.writeFileSync(join(unfinished, "a"), text);
    if (text === "half") throw new Error("stopped");
  };
  await expect(makeFolderOnce(folder, make("half"))).rejects.toThrow("stopped");
  expect(fs.existsSync(folder)).toBe(false);
  await makeFolderOnce(folder, make("first"));
  await makeFolderOnce(folder, make("second"));
  expect(fs.readFileSync(join(folder, "a"), "utf8")).toBe("first");
  expect(fs.readdirSync(join(folder, ".."))).toEqual(["made"]);
});

test("of two that make one folder at once each fills its own, and the first to finish has made it", async () => {
  const folder = join(temporaryFolder(), "made");
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const make = (text: string, wait: Promise<void>) => async (unfinished: string) => {
    fs.mkdirSync(unfinished);
    fs.writeFileSync(join(unfinished, `${text}-1`), "");
    await wait;
    fs.writeFileSync(join(unfinished, `${text}-2`), "");
  };
  const slow = makeFolderOnce(folder, make("slow", gate));
  await makeFolderOnce(folder, make("fast", Promise.resolve()));
  open();
  await slow;
  expect(fs.readdirSync(folder)).toEqual(["fast-1", "fast-2"]);
  expect(fs.readdirSync(join(folder, ".."))).toEqual(["made"]);
});

test("what a killed process left of a folder is removed after a day, not before", async () => {
  const parent = temporaryFolder();
  for (const name of ["made.unfinished", "made.unfinished-1-0a0b0c0d"]) fs.mkdirSync(join(parent, name));
  fs.utimesSync(join(parent, "made.unfinished"), 0, 0);
  await makeFolderOnce(join(parent, "made"), async (unfinished) => fs.mkdirSync(unfinished));
  expect(fs.readdirSync(parent).sort()).toEqual(["made", "made.unfinished-1-0a0b0c0d"]);
});

test("a name as long as the file system allows can be written", () => {
  const path = join(temporaryFolder(), "x".repeat(255));
  writeFileAtomically(path, "content");
  expect(fs.readFileSync(path, "utf8")).toBe("content");
});

test("removeTemporaryFiles removes our own and no other file", () => {
  const folder = temporaryFolder();
  const ours = [".armseg-42-0123abcd.tmp", ".index.json.armseg-42-0123abcd.tmp"];
  const others = [".hidden", "index.json", "notes.tmp", ".x.armseg-42.tmp"];
  for (const name of [...ours, ...others]) fs.writeFileSync(join(folder, name), "");
  expect(removeTemporaryFiles(folder).sort()).toEqual(ours);
  expect(fs.readdirSync(folder).sort()).toEqual(others.sort());
  expect(removeTemporaryFiles(join(folder, "missing"))).toEqual([]);
});

// Needs root for the mount; the limit of file sizes above covers the same path everywhere.
test.runIf(tinyFileSystem.isAvailable())("a really full disk leaves the old content", () => {
  using disk = tinyFileSystem(512);
  const path = join(disk.folder, "a");
  writeFileAtomically(path, Buffer.alloc(300_000, 1));
  expect(() => writeFileAtomically(path, Buffer.alloc(300_000, 2))).toThrow(
    /ENOSPC.*unchanged.*free some space/s,
  );
  expect(fs.readFileSync(path).equals(Buffer.alloc(300_000, 1))).toBe(true);
  expect(fs.readdirSync(disk.folder)).toEqual(["a"]);
});
