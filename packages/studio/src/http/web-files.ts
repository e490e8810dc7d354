import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Finds the files of `armseg-web`, which runs exported models in the browser, by path below its `dist` with `/`. It brings 40 MB of
 * WebAssembly, so it is installed by those who want it; null where it is not.
 */
export function findWebFiles(): ReadonlyMap<string, string> | null {
  try {
    const manifest = createRequire(import.meta.url).resolve("armseg-web/package.json");
    const dist = join(dirname(manifest), "dist");
    if (!existsSync(join(dist, "index.js"))) return null;
    const assets = readdirSync(join(dist, "assets")).map((name) => `assets/${name}`);
    return new Map(["index.js", ...assets].map((name) => [name, join(dist, name)]));
  } catch {
    return null;
  }
}
