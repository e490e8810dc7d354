import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `--mode library` builds the module, `--mode example` the page. */
export default defineConfig(({ mode }) => ({
  root: here(mode === "example" ? "example" : "."),
  // Both may lie anywhere on a server.
  base: "./",
  cacheDir: here("dist/.vite"),
  publicDir: false,
  resolve: { conditions: ["@armseg/source", ...defaultClientConditions] },
  worker: { format: "es" },
  build: {
    outDir: here(mode === "example" ? "dist/example" : "dist"),
    emptyOutDir: mode === "example",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    ...(mode === "library" && {
      rollupOptions: {
        preserveEntrySignatures: "strict" as const,
        input: { index: here("browser/index.ts") },
        output: { entryFileNames: "[name].js" },
      },
    }),
  },
}));
