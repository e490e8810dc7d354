import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Builds the module (`index.js`) and the example page (`index.html`) into one folder, which may lie anywhere on a server. */
export default defineConfig({
  root: here("example"),
  base: "./",
  cacheDir: here("dist/.vite"),
  resolve: { conditions: ["@armseg/source", ...defaultClientConditions] },
  worker: { format: "es" },
  build: {
    outDir: here("dist"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      preserveEntrySignatures: "strict",
      input: { index: here("browser/index.ts"), page: here("example/index.html") },
      output: { entryFileNames: ({ name }) => (name === "index" ? "index.js" : "assets/[name]-[hash].js") },
    },
  },
});
