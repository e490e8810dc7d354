import { configDefaults, defineConfig } from "vitest/config";
import fast from "./vitest.config.ts";

/** The checks that take minutes: `npm run test:slow`. */
export default defineConfig({
  ...fast,
  test: {
    ...fast.test,
    include: ["packages/*/src/**/*.slow.test.ts", "packages/*/test/**/*.slow.test.ts"],
    exclude: configDefaults.exclude,
  },
});
