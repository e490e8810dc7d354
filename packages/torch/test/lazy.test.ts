import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { lazyObject } from "../src/native/lazy.ts";

describe("a lazy object", () => {
  test("loads at the first read, once", () => {
    let loads = 0;
    const object = lazyObject(() => {
      loads += 1;
      return { one: 1, two: 2 };
    });
    expect(loads).toBe(0);
    expect([object.one, object.two, (object as { three?: number }).three]).toEqual([1, 2, undefined]);
    expect(loads).toBe(1);
    expect(Object.keys(object)).toEqual(["one", "two"]);
  });

  test("tries again after a failure", () => {
    let isBroken = true;
    const object = lazyObject(() => {
      if (isBroken) throw new Error("not yet");
      return { one: 1 };
    });
    expect(() => object.one).toThrow("not yet");
    isBroken = false;
    expect(object.one).toBe(1);
  });
});

/** Runs a program on the sources in a process of its own, with an empty cache: as where nothing has been set up. */
function runWithoutSetup(program: string): string {
  const environment: NodeJS.ProcessEnv = { ...process.env, ARMSEG_BUILDS: "/nonexistent-armseg-builds" };
  delete environment.LIBTORCH;
  const options = [
    "--conditions=@armseg/source",
    "--import",
    "tsx",
    "--input-type=module",
    "--eval",
    program,
  ];
  return execFileSync(process.execPath, options, { encoding: "utf8", env: environment });
}

const index = JSON.stringify(fileURLToPath(new URL("../src/index.ts", import.meta.url)));

test("an import loads nothing; the first tensor without a set-up says what to do", () => {
  const output = runWithoutSetup(`
    const { tensor, nn } = await import(${index});
    console.log(process.report.getReport().sharedObjects.filter((path) => /torch/.test(path)).length);
    try { tensor([1]); } catch (error) { console.log(error.name, error.code, error.message); }
    try { new nn.Linear(2, 3); } catch (error) { console.log(error.code); }
  `);
  expect(output).toMatch(/^0\nNativeLibraryError ERR_NATIVE_LIBRARY [\s\S]*no libtorch has been set up/);
  expect(output).toMatch(/npx armseg setup[\s\S]*\nERR_NATIVE_LIBRARY\n$/);
});
