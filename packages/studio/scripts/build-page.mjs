/** Builds the page into `dist/page`, unless it is built from the same files already. Run by `npm run build:ts`, set-up and `npm pack`. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(here, "dist", ".page-stamp");
const page = join(here, "dist", "page", "index.html");

/** A hash of everything that the page is made from. */
function stamp() {
  const hash = createHash("sha256");
  const lock = join(here, "..", "..", "package-lock.json");
  const names = readdirSync(join(here, "page"), { recursive: true }).map((name) => join("page", name));
  for (const file of [...names, "src/api.ts", "vite.config.ts"].sort().map((name) => join(here, name)))
    if (statSync(file).isFile()) hash.update(file.slice(here.length)).update("\0").update(readFileSync(file));
  if (existsSync(lock)) hash.update(readFileSync(lock));
  return hash.digest("hex");
}

const wanted = stamp();
if (existsSync(page) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) {
  process.stdout.write("Studio's page: up to date\n");
} else {
  const { build } = await import("vite");
  await build({ configFile: join(here, "vite.config.ts"), logLevel: "warn" });
  writeFileSync(stampFile, wanted);
  process.stdout.write("Studio's page: built\n");
}
