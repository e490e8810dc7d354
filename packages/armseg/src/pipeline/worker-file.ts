import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REMEDY = "run `npm run build:ts` first";

/**
 * Where the worker's JavaScript lies: beside this file once built, in `dist` while this file runs as TypeScript (tests, tsx), since worker
 * threads run JavaScript only.
 *
 * @throws If it is not built, or older than the sources of the pipeline.
 */
export function workerFile(here = import.meta.url): URL {
  if (!here.endsWith(".ts")) return new URL("./worker.js", here);
  const built = new URL(here.replace(/\/src\/(?!.*\/src\/)/, "/dist/").replace(/[^/]*$/, "worker.js"));
  if (!existsSync(built)) throw new Error(`workerFile(): ${fileURLToPath(built)} does not exist; ${REMEDY}`);
  const stale = staleSource(new URL(".", here), new URL(".", built));
  if (stale) throw new Error(`workerFile(): ${stale} is newer than its built file; ${REMEDY}`);
  return built;
}

/** The first source that was changed after the build. The build's own record counts too: unchanged output is not written again. */
function staleSource(sources: URL, outputs: URL): string | undefined {
  const record = modified(new URL("../.tsbuildinfo", outputs));
  return readdirSync(sources)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .find((name) => {
      const output = new URL(name.replace(/ts$/, "js"), outputs);
      return modified(new URL(name, sources)) > Math.max(modified(output), record);
    });
}

function modified(file: URL): number {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}
