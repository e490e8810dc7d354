/** Copies what is shipped with `armseg` and is read at the root of the repository: recipes and the schema that they name. Run by `npm pack`. */
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

for (const folder of ["recipes", "schema"]) {
  const target = fileURLToPath(new URL(`../packages/armseg/${folder}`, import.meta.url));
  rmSync(target, { recursive: true, force: true });
  cpSync(fileURLToPath(new URL(`../${folder}`, import.meta.url)), target, { recursive: true });
}
