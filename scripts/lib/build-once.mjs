/** Builds that are not repeated while their sources stay the same. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The files below some paths; what is not there is left out, as a package from the registry has no lock file. */
function filesOf(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  const names = readdirSync(path, { recursive: true }).map((name) => join(path, name));
  return names.filter((name) => statSync(name).isFile());
}

/** Returns a hash of names and contents of everything below some paths, given from the repository's root. */
function stampOf(sources) {
  const hash = createHash("sha256");
  for (const file of sources
    .map((path) => join(root, path))
    .flatMap(filesOf)
    .sort())
    hash.update(file.slice(root.length)).update("\0").update(readFileSync(file));
  return hash.digest("hex");
}

/** Runs a build unless what it made is there, from the same sources; says which it was. Paths are from the repository's root. */
export async function buildOnce({ name, sources, result, stamp, build }) {
  const wanted = stampOf(sources);
  const stampFile = join(root, stamp);
  const isThere = existsSync(join(root, result)) && existsSync(stampFile);
  if (isThere && readFileSync(stampFile, "utf8") === wanted) {
    process.stdout.write(`${name}: up to date\n`);
    return;
  }
  await build();
  writeFileSync(stampFile, wanted);
  process.stdout.write(`${name}: built\n`);
}
