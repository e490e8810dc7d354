import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL(".", import.meta.url));
const programs = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));

test.each(programs)("%s runs", (name) => {
  const temporary = mkdtempSync(join(tmpdir(), "armseg-example-"));
  try {
    const args = ["--import", "tsx", "--conditions=@armseg/source", join(folder, name), "2"];
    const output = execFileSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, TMPDIR: temporary },
    });
    expect(output).toMatch(/loss \d/);
  } finally {
    rmSync(temporary, { recursive: true });
  }
});
