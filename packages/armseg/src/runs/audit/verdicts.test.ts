import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appendVerdict, type GivenVerdict, readVerdicts, verdictsThatCount } from "./verdicts.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-verdicts-"));
  path = join(folder, "verdicts.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const common = {
  image: "a",
  labelFile: "../labels/a.png",
  labelSha256: "0".repeat(64),
  size: [4, 4] as [number, number],
  mask: { top: 0, left: 0, height: 1, width: 2, runs: [0, 2] },
};
const verdict = (region: string, rest: object = { verdict: "void" }) =>
  ({ ...common, region, ...rest }) as unknown as GivenVerdict;

async function read(): Promise<GivenVerdict[]> {
  const verdicts: GivenVerdict[] = [];
  for await (const one of readVerdicts(path)) verdicts.push(one);
  return verdicts;
}

test("verdicts are appended line by line and read back; no file is no verdict", async () => {
  expect(await read()).toEqual([]);
  const painted = { verdict: "painted", painted: [{ class: 255, mask: common.mask }] };
  const given = [verdict("a#1"), verdict("a#2", { verdict: "prediction", class: 3 }), verdict("b", painted)];
  for (const one of given) appendVerdict(path, one);
  expect(await read()).toEqual(given);
  expect(readFileSync(path, "utf8").split("\n")).toHaveLength(4);
});

test("the last verdict on a region counts, in its own place", () => {
  const keep = verdict("a#1", { verdict: "keep" });
  const other = { ...verdict("a#1"), image: "b" };
  expect(verdictsThatCount([verdict("a#1"), verdict("a#2"), other, keep])).toEqual([
    verdict("a#2"),
    other,
    keep,
  ]);
});

test("an undone verdict is as if it had never been given, and the one before it counts again", () => {
  const [painted, keep] = [
    verdict("a#1", { verdict: "void", by: "first" }),
    verdict("a#1", { verdict: "keep" }),
  ];
  const undo = verdict("a#1", { verdict: "undo" });
  expect(verdictsThatCount([painted, keep, verdict("a#2"), undo])).toEqual([painted, verdict("a#2")]);
  expect(verdictsThatCount([painted, keep, undo, undo, undo])).toEqual([]);
  expect(verdictsThatCount([painted, undo, keep])).toEqual([keep]);
  expect(verdictsThatCount([verdict("a#2"), undo])).toEqual([verdict("a#2")]);
});

test("a half-written last line is left out, and cut off by the next verdict", async () => {
  appendVerdict(path, verdict("a#1"));
  appendFileSync(path, JSON.stringify(verdict("a#2")).slice(0, -20));
  expect(await read()).toEqual([verdict("a#1")]);
  appendVerdict(path, verdict("a#3"));
  expect(await read()).toEqual([verdict("a#1"), verdict("a#3")]);
});

test("a last line that lacks its newline alone is whole, however long", async () => {
  const long = verdict("a#1", { verdict: "void", by: "x".repeat(10_000) });
  writeFileSync(path, JSON.stringify(long));
  expect(await read()).toEqual([long]);
  appendVerdict(path, verdict("a#2"));
  expect(await read()).toEqual([long, verdict("a#2")]);
});

test.each([
  ["no JSON", "{oops}\n", /line 2 of .*verdicts\.jsonl: expected JSON, got "\{oops\}"/],
  ["a broken line that ends", '{"image":"a"\n', /line 2 .*expected JSON/],
  ["an unknown verdict", `${JSON.stringify(verdict("a", { verdict: "maybe" }))}\n`, /line 2 .*verdict: /],
  [
    "a prediction without its class",
    `${JSON.stringify(verdict("a", { verdict: "prediction" }))}\n`,
    /class: /,
  ],
  ["a hash that is none", `${JSON.stringify({ ...verdict("a"), labelSha256: "ab" })}\n`, /labelSha256: .*64/],
  [
    "runs of another size",
    `${JSON.stringify({ ...verdict("a"), mask: { ...common.mask, runs: [9] } })}\n`,
    /mask: expected runs of 2 pixels together \(1x2\), got 9/,
  ],
])("%s is named with its line", async (_, line, message) => {
  writeFileSync(path, `${JSON.stringify(verdict("a#1"))}\n${line}`);
  await expect(read()).rejects.toThrow(message);
});

test("what is no verdict is not appended", () => {
  expect(() => appendVerdict(path, verdict("a", { verdict: "painted", painted: [] }))).toThrow();
});
