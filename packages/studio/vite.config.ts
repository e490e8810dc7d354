import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL("page", import.meta.url)),
  // The token is part of the path, and nobody knows it beforehand.
  base: "./",
  // A page of another address has to be built anew each time; there is nothing to keep.
  cacheDir: fileURLToPath(new URL("dist/.vite", import.meta.url)),
  resolve: { conditions: ["@armseg/source", ...defaultClientConditions] },
  build: {
    outDir: fileURLToPath(new URL("dist/page", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    // Under a strict content security policy nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
