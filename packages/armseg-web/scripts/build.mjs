/** Builds the module and the example page into `dist`, unless they are built from the same files already. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOnce } from "../../../scripts/lib/build-once.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const tsc = join(here, "../../node_modules/typescript/bin/tsc");
const own = (path) => `packages/armseg-web/${path}`;

await buildOnce({
  name: "armseg-web",
  // Beside its own files what it takes from the trainer, and the versions of all packages.
  sources: [
    ...["browser", "example", "package.json", "tsconfig.json", "tsconfig.types.json", "vite.config.ts"].map(
      own,
    ),
    "packages/armseg/src/pipeline",
    "package-lock.json",
  ],
  result: own("dist/index.html"),
  stamp: own("dist/.stamp"),
  build: async () => {
    const { build } = await import("vite");
    await build({ configFile: join(here, "vite.config.ts"), logLevel: "warn" });
    const types = ["--emitDeclarationOnly", "--declaration", "--noEmit", "false"];
    execFileSync(
      process.execPath,
      [tsc, "-p", join(here, "tsconfig.types.json"), ...types, "--outDir", join(here, "dist/types")],
      { stdio: "inherit" },
    );
  },
});
