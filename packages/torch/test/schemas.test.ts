import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateOperators } from "../scripts/generate-operators.ts";
import { libtorchVersion, ops } from "../src/index.ts";
import { binding } from "../src/native/load.ts";

function allOperators(): { name: string; overload: string }[] {
  const names = binding.operatorNames();
  return Array.from({ length: names.length / 2 }, (_, i) => ({
    name: names[2 * i] as string,
    overload: names[2 * i + 1] as string,
  }));
}

test("nearly every registered operator can be called", () => {
  const operators = allOperators();
  const refused = operators.filter(({ name, overload }) =>
    binding.describeOperator(name, overload).parameters.some((parameter) => !parameter.isSupported),
  );
  const share = (100 * refused.length) / operators.length;
  console.log(
    `${refused.length} of ${operators.length} operators (${share.toFixed(2)} %) take arguments that cannot be converted`,
  );
  expect(operators.length).toBeGreaterThan(2500);
  expect(share).toBeLessThan(2);
});

test("every aten operator has a JavaScript name", () => {
  expect(ops.zeros).toBeTypeOf("function"); // the first use loads libtorch, which knows the names
  expect(Object.keys(ops).length).toBeGreaterThan(1000);
  for (const name of Object.keys(ops)) expect(name).toMatch(/^_*[A-Za-z][A-Za-z0-9]*_*(Out)?$/);
});

test("the generated types are those of the installed libtorch", ({ skip }) => {
  const committed = readFileSync(new URL("../src/generated/operators.ts", import.meta.url), "utf8");
  const version = committed.match(/schemas of libtorch (\S+)\./)?.[1];
  skip(
    version !== libtorchVersion(),
    `generated from libtorch ${version}, installed is ${libtorchVersion()}`,
  );
  expect(generateOperators() === committed, "run npm run generate -w packages/torch").toBe(true);
});
