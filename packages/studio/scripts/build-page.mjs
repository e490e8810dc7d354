/** Builds the page into `dist/page`, unless it is built from the same files already. Run by `npm run build:ts`, set-up and `npm pack`. */
import { fileURLToPath } from "node:url";
import { buildOnce } from "../../../scripts/lib/build-once.mjs";

const own = (path) => `packages/studio/${path}`;

await buildOnce({
  name: "Studio's page",
  // Beside its own files what it takes from the trainer, and the versions of all packages.
  sources: [
    ...["page", "src/api.ts", "vite.config.ts"].map(own),
    "packages/armseg/src/core/viridis.ts",
    "package-lock.json",
  ],
  result: own("dist/page/index.html"),
  stamp: own("dist/.page-stamp"),
  build: async () => {
    const { build } = await import("vite");
    await build({
      configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)),
      logLevel: "warn",
    });
  },
});
