import { expect, test } from "vitest";
import { diskRemedy } from "./disk-error.ts";

const failed = (code: string) => Object.assign(new Error(code), { code });

test.each([
  ["ENOSPC", "disk is full"],
  ["EDQUOT", "quota is used up"],
  ["EROFS", "can only be read"],
  ["EACCES", "no permission"],
  ["EPERM", "no permission"],
])("%s has a remedy, under whatever it is the cause of", (code, remedy) => {
  expect(diskRemedy(failed(code))).toContain(remedy);
  expect(diskRemedy(new Error("outer", { cause: new Error("inner", { cause: failed(code) }) }))).toContain(
    remedy,
  );
});

test("other errors have none", () => {
  expect(diskRemedy(failed("EIO"))).toBe("");
  expect(diskRemedy("no error")).toBe("");
});
