import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("the training loop of the README runs as written, and learns", () => {
  const program = readFileSync(join(root, "README.md"), "utf8").match(/```ts\n([\s\S]*?)```/)?.[1];
  expect(program).toBeDefined();
  // Inside the workspace, so that the package is found by its name.
  const folder = mkdtempSync(join(root, "packages/torch/build-readme-"));
  try {
    const file = join(folder, "loop.ts");
    writeFileSync(file, program as string);
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--conditions=@armseg/source", file],
      { cwd: root, encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const losses = stdout
      .trim()
      .split("\n")
      .map((line) => Number(line.split(" ")[1]));
    expect(losses).toHaveLength(5);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
