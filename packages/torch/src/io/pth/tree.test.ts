import { expect, test } from "vitest";
import { FileFormatError } from "../file-errors.ts";
import { InertObject, Marker } from "../pickle/values.ts";
import { Storage } from "./storage.ts";
import { checkTree } from "./tree.ts";

const check = (value: unknown) => checkTree(value, (what) => new FileFormatError(what, "file"));

/** A list in a list in a list: `levels` of them. */
function nest(levels: number, innermost: unknown = 1): unknown {
  let value = innermost;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

test("200 levels pass, 201 do not", () => {
  const deepest = nest(200);
  expect(check(deepest)).toBe(deepest);
  expect(() => check(nest(201))).toThrow(/nested deeper than 200/);
  expect(() => check(nest(1_000_000))).toThrow(/nested deeper than 200/);
});

test("a shared part counts at its deepest place, wherever it was seen first", () => {
  const shared = nest(150);
  expect(() => check([shared, nest(60, shared)])).toThrow(/nested deeper than 200/);
  expect(() => check([nest(60, shared), shared])).toThrow(/nested deeper than 200/);
  expect(check([shared, nest(40, shared)])).toHaveLength(2);
  const longer = nest(40, shared);
  expect(() => check([shared, longer, nest(20, longer)])).toThrow(/nested deeper than 200/);
});

test("parts shared many times over are walked once", () => {
  let value: unknown = [1];
  for (let i = 0; i < 199; i++) value = [value, value];
  expect(check(value)).toHaveLength(2);
});

test("a value that contains itself is refused, through lists, dicts, keys and sets", () => {
  const list: unknown[] = [];
  list.push([list]);
  const dict = new Map<unknown, unknown>();
  dict.set("a", [dict]);
  const key = new Map<unknown, unknown>();
  key.set(key, 1);
  const set = new Set<unknown>();
  set.add([set]);
  for (const value of [list, dict, key, set]) expect(() => check(value)).toThrow(/contains itself/);
});

test("nothing internal stays in a tree; the inside of inert objects is not looked at", () => {
  expect(() => check([new Marker("list")])).toThrow(/refuses the class list as a value/);
  expect(() => check([new Storage("0", "float32", 0, 4)])).toThrow(/refuses Storage as a value/);
  const inert = new InertObject("a.B", []);
  inert.state = inert;
  expect(check([inert])).toEqual([inert]);
});
