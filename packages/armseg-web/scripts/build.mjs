/** Builds the module and the example page into `dist`, unless they are built from the same files already. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const root = join(here, "..", "..");
const stampFile = join(here, "dist", ".stamp");
/** Beside its own files: what it takes from the trainer, and the versions of all packages. */
const OTHERS = ["packages/armseg/src/pipeline", "package-lock.json"].map((path) => join(root, path));

function filesOf(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  const names = readdirSync(path, { recursive: true }).map((name) => join(path, name));
  return names.filter((name) => statSync(name).isFile());
}

function stamp() {
  const own = ["browser", "example", "package.json", "tsconfig.json", "vite.config.ts"].map((path) =>
    join(here, path),
  );
  const hash = createHash("sha256");
  for (const file of [...own, ...OTHERS].flatMap(filesOf).sort())
    hash.update(file.slice(root.length)).update("\0").update(readFileSync(file));
  return hash.digest("hex");
}

const wanted = stamp();
if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) {
  process.stdout.write("armseg-web: up to date\n");
} else {
  const { build } = await import("vite");
  await build({ configFile: join(here, "vite.config.ts"), logLevel: "warn" });
  const types = [
    "--emitDeclarationOnly",
    "--declaration",
    "--noEmit",
    "false",
    "--outDir",
    join(here, "dist/types"),
  ];
  const browser = join(here, "tsconfig.types.json");
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", browser, ...types], {
    stdio: "inherit",
  });
  writeFileSync(stampFile, wanted);
  process.stdout.write("armseg-web: built\n");
}
