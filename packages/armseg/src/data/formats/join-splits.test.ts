import { describe, expect, test } from "vitest";
import type { Dataset } from "../sample.ts";
import { joinSplits, splitList } from "./join-splits.ts";

const names = ({ samples }: Dataset) => samples.map(({ name }) => name);

describe("a list of splits", () => {
  test("is names with + between them", () => {
    expect(splitList("train")).toEqual(["train"]);
    expect(splitList("train + val+extra")).toEqual(["train", "val", "extra"]);
    for (const wrong of ["", "train+", "train+train"])
      expect(() => splitList(wrong)).toThrow(`got "${wrong}"`);
  });

  const part = (split: string, images: readonly string[], changes: Partial<Dataset> = {}): Dataset => {
    const samples = images.map((image) => ({ name: image.replace(/^.*\//, ""), image }));
    return { name: "made up", split, classes: [], samples, notes: [`note of ${split}`], ...changes };
  };
  const joined = (...parts: Dataset[]) =>
    joinSplits(
      parts.map(({ split }) => split).join("+"),
      (name) => parts.find(({ split }) => split === name)!,
    );

  test("joins samples in its order; names that are in two splits get their split's before them", async () => {
    const both = await joined(part("b", ["b/x", "b/z"], { unpaired: ["alone"] }), part("a", ["a/x", "a/y"]));
    expect(both.split).toBe("b+a");
    expect(names(both)).toEqual(["b__x", "z", "a__x", "y"]);
    expect(both.notes).toEqual(["note of b", "note of a"]);
    expect(both.unpaired).toEqual(["alone"]);
  });

  test("one name is the split itself", async () => {
    const only = part("a", ["a/x"]);
    expect(await joined(only)).toBe(only);
  });

  test("a picture in two splits, other classes and missing labels are named", async () => {
    await expect(joined(part("a", ["x"]), part("b", ["x"]))).rejects.toThrow("x is in a and in b");
    const classes = [{ name: "road", color: [0, 0, 0] }] as const;
    await expect(joined(part("a", ["x"]), part("b", ["y"], { classes }))).rejects.toThrow(
      "a and b of made up differ in classes (0 and 1)",
    );
    const labelled = {
      name: "y",
      image: "y",
      annotation: { kind: "mask", path: "", labelMap: { encoding: "values", classes: {} } },
    } as const;
    await expect(joined(part("a", ["x"]), part("b", [], { samples: [labelled] }))).rejects.toThrow(
      "one has labels and the other none",
    );
  });
});
