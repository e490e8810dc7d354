import { tmpdir } from "node:os";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { cacheFolder } from "./packages/torch/src/setup/cache-folder.ts";

export default defineConfig({
  // Tests run on the sources; only worker threads need the built files, and `npm test` builds first.
  resolve: { conditions: ["@armseg/source"] },
  ssr: { resolve: { conditions: ["@armseg/source"], externalConditions: ["@armseg/source"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "examples/**/*.test.ts",
      "scripts/**/*.test.mjs",
    ],
    // `npm run test:slow` runs them.
    exclude: [...configDefaults.exclude, "**/*.slow.test.ts"],
    setupFiles: ["packages/torch/test/no-leaks.ts"],
    // Native add-ons can bring down a worker thread, so each file has a process of its own.
    pool: "forks",
    // Vitest would leave one processor to itself, half of a small machine.
    maxWorkers: "100%",
    // Several files run at once: threads of one that wait in a loop would take the processors of the others.
    env: {
      OMP_NUM_THREADS: "1",
      OPENBLAS_NUM_THREADS: "1",
      OMP_WAIT_POLICY: "passive",
      // The user's own stays as it is.
      ARMSEG_CACHE: join(tmpdir(), "armseg-test-cache"),
      ARMSEG_BUILDS: process.env.ARMSEG_BUILDS || cacheFolder(),
    },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
