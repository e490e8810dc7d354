import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomically } from "./atomic-write.ts";
import { FileAccessError } from "./file-errors.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atomic-write-"));
  path = join(folder, "file.bin");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the content arrives whole and nothing else stays in the folder", () => {
  writeFileAtomically("write", path, (sink) => {
    sink(Uint8Array.of(1, 2));
    sink(new Uint8Array(0));
    sink(Uint8Array.of(3));
  });
  expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  expect(readdirSync(folder)).toEqual(["file.bin"]);
});

test("a producer that fails half-way leaves the old file and no temporary one", () => {
  writeFileSync(path, "old");
  const failure = new Error("no more data");
  const write = () =>
    writeFileAtomically("write", path, (sink) => {
      sink(Uint8Array.of(1, 2));
      throw failure;
    });
  expect(write).toThrow(failure);
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["file.bin"]);
});

test("the old file is there until the new one is complete", () => {
  writeFileSync(path, "old");
  writeFileAtomically("write", path, (sink) => {
    sink(Buffer.from("new"));
    expect(readFileSync(path, "utf8")).toBe("old");
  });
  expect(readFileSync(path, "utf8")).toBe("new");
});

test("a folder that is not there, or a folder in the file's place, is named", () => {
  const write = (target: string) => () =>
    writeFileAtomically("write", target, (sink) => sink(Uint8Array.of(1)));
  expect(write(join(folder, "absent", "file.bin"))).toThrow(/write\(\): .*absent.*cannot be written: ENOENT/);
  mkdirSync(path);
  expect(write(path)).toThrow(FileAccessError);
  expect(readdirSync(folder)).toEqual(["file.bin"]);
});

// A limit on the file size fails a write half-way, as a full disk does, without needing one.
test.runIf(process.platform === "linux")(
  "a disk that takes no more leaves the old file and no temporary one",
  () => {
    writeFileSync(path, "old");
    const module = fileURLToPath(new URL("./atomic-write.ts", import.meta.url));
    const script = `
    import { writeFileAtomically } from ${JSON.stringify(module)};
    try {
      writeFileAtomically("write", ${JSON.stringify(path)}, (sink) => sink(new Uint8Array(1 << 20)));
    } catch (error) {
      console.log(error.name, error.message);
    }`;
    const entry = join(folder, "main.mts");
    writeFileSync(entry, script);
    const tsx = fileURLToPath(import.meta.resolve("tsx"));
    const command = `trap '' XFSZ; ulimit -f 64; exec "$0" --import "$1" "$2"`;
    const child = spawnSync("sh", ["-c", command, process.execPath, tsx, entry], {
      encoding: "utf8",
      env: { ...process.env, TSX_DISABLE_CACHE: "1" },
    });
    expect(child.stdout).toMatch(
      /FileAccessError write\(\): .*file\.bin: cannot be written: EFBIG.*untouched/,
    );
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder).sort()).toEqual(["file.bin", "main.mts"]);
  },
);
