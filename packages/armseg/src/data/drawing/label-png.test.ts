import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenesClasses } from "@armseg/scenes";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { decodePng } from "../labels/png.ts";
import type { ClassInfo, LabelImage } from "../sample.ts";
import { colorize } from "./label-colors.ts";
import { encodeLabelPng, labelPalette, writeLabelPng } from "./label-png.ts";

/** The label that golden/make-label-png.py was given. */
const label: LabelImage = {
  height: 3,
  width: 5,
  data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255, 0, 255, 10),
};

test("PIL reads indices and palette back (golden)", () => {
  const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden/label-png.json"), "utf8"));
  const bytes = encodeLabelPng(label, scenesClasses);
  // The golden file says what PIL read from the bytes with this hash of pixels and palette.
  expect(golden.mode).toBe("P");
  expect(golden.size).toEqual([5, 3]);
  expect(golden.pixels).toEqual([...decodePng(bytes).data]);
  expect(golden.palette).toEqual([...labelPalette(scenesClasses).subarray(0, 33)]);
  expect(createHash("sha256").update(decodePng(bytes).data).digest("hex")).toBe(
    createHash("sha256").update(label.data).digest("hex"),
  );
});

test("sharp shows the colours of the classes, ignored pixels black", async () => {
  const { data, info } = await sharp(encodeLabelPng(label, scenesClasses))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([5, 3, 3]);
  expect(Uint8Array.from(data)).toEqual(colorize(label, scenesClasses).data);
});

test("any labels survive, up to 256 classes", () => {
  const classes: ClassInfo[] = Array.from({ length: 256 }, (_, i) => ({
    name: `${i}`,
    color: [i, 255 - i, 7],
  }));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      (height, row) => {
        const data = Uint8Array.from({ length: height * row.length }, (_, i) => row[i % row.length]!);
        const png = decodePng(encodeLabelPng({ height, width: row.length, data }, classes));
        expect([png.height, png.width, png.bitDepth, png.colorType]).toEqual([height, row.length, 8, 3]);
        expect(png.data).toEqual(data);
      },
    ),
  );
});

test("a label outside the classes is named with its place", () => {
  const wrong = { height: 2, width: 2, data: Uint8Array.of(0, 1, 2, 40) };
  expect(() => encodeLabelPng(wrong, scenesClasses)).toThrow(/got 40 at row 1, column 1/);
  expect(() => encodeLabelPng({ ...wrong, width: 3 }, scenesClasses)).toThrow(/got 4 for 2×3/);
});

test("a file is not overwritten unless told, and nothing else is left behind", () => {
  const folder = mkdtempSync(join(tmpdir(), "armseg-png-"));
  try {
    const path = join(folder, "a", "x.png");
    writeLabelPng(path, label, scenesClasses);
    expect(() => writeLabelPng(path, label, scenesClasses)).toThrow(/x\.png exists/);
    const other = { ...label, data: label.data.map(() => 3) };
    writeLabelPng(path, other, scenesClasses, { overwrite: true });
    expect(decodePng(readFileSync(path)).data).toEqual(other.data);
    expect(readdirSync(join(folder, "a"))).toEqual(["x.png"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
