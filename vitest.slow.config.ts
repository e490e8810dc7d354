import { configDefaults, defineConfig } from "vitest/config";
import fast from "./vitest.config.ts";

/**
 * The checks that take minutes: `npm run test:slow`. One file after another: a browser that draws in software, or processes that are
 * killed at a point, are not themselves on a machine that several such files share.
 */
export default defineConfig({
  ...fast,
  test: {
    ...fast.test,
    include: ["packages/*/src/**/*.slow.test.ts", "packages/*/test/**/*.slow.test.ts"],
    exclude: configDefaults.exclude,
    fileParallelism: false,
  },
});
