import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readLabel } from "../labels/read-label.ts";
import type { Dataset } from "../sample.ts";
import { fixture } from "../test-support.ts";
import { type CvatOptions, cvat } from "./cvat.ts";

const SHAPE = '<polygon label="a" points="1,0;3,0;3,3;1,3" z_order="0"/>';

function imageOf(name: string, shapes = SHAPE, rest = 'id="0"'): string {
  return `<image ${rest} name="${name}" width="6" height="4">${shapes}</image>`;
}

function document(images: string, label = "a"): string {
  return `<annotations><meta><task><labels><label><name>${label}</name></label></labels></task></meta>${images}</annotations>`;
}

async function open(
  xml: string | Uint8Array,
  pictures: readonly string[],
  options: Partial<CvatOptions> = {},
): Promise<Dataset> {
  const files = pictures.map((name) => [`images/${name}`, ""]);
  const root = await fixture({ "a.xml": xml, ...Object.fromEntries(files) });
  return cvat(join(root, "a.xml"), { split: "train", images: join(root, "images"), ...options });
}

async function pixelsOf({ samples: [sample] }: Dataset): Promise<number> {
  const { data } = await readLabel(sample!.annotation!);
  return data.filter((value) => value === 0).length;
}

describe("names of images", () => {
  test.each(["sub\\x.png", "sub/x.png"])("%s", async (name) => {
    const { samples } = await open(document(imageOf(name)), ["sub/x.png"]);
    expect(samples[0]).toMatchObject({
      name: "sub__x",
      image: expect.stringMatching(/images\/sub\/x\.png$/),
    });
  });

  test("with a subset, whose folder is looked in first", async () => {
    const xml = document(imageOf("d\\x.png", SHAPE, 'id="0" subset="Train"'));
    const { samples } = await open(xml, ["Train/d/x.png", "d/x.png"]);
    expect(samples[0]).toMatchObject({ name: "d__x", image: expect.stringMatching(/Train\/d\/x\.png$/) });
  });

  test("in the other Unicode normal form", async () => {
    const { samples } = await open(document(imageOf("caf\u0065\u0301.png")), ["caf\u00e9.png"]);
    expect(samples[0]!.name).toBe("caf\u00e9");
  });
});

describe("characters", () => {
  test("references by name and by number; a reference to a reference is none", async () => {
    const label = "caf&#233; &#xE9; &lt;&amp;#233;&gt;";
    const shape = SHAPE.replace('"a"', `"${label}"`);
    const dataset = await open(document(imageOf("caf&#xe9;.png", shape), label), ["café.png"]);
    expect(dataset.classes[0]!.name).toBe("café é <&#233;>");
    expect(await pixelsOf(dataset)).toBe(6);
    await expect(open(document(imageOf("x&#xFFFFFF;.png")), [])).rejects.toThrow(
      "&#xFFFFFF; stands for no character",
    );
    await expect(open(document(imageOf("x&eacute;.png")), [])).rejects.toThrow(
      "&eacute; stands for no character",
    );
  });

  const text = (encoding: string): string =>
    `<?xml version="1.0" encoding="${encoding}"?>${document(imageOf("x.png", SHAPE.replace('"a"', '"café"')), "café")}`;
  const bigEndian = Buffer.from(`\ufeff${text("utf-16")}`, "utf16le").swap16();
  test.each([
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${text("utf-8")}`)],
    ["UTF-16, little end first", Buffer.from(`\ufeff${text("utf-16")}`, "utf16le")],
    ["UTF-16, big end first", bigEndian],
    ["UTF-16 without a mark", Buffer.from(text("utf-16"), "utf16le")],
    ["Latin-1 that is declared", Buffer.from(text("ISO-8859-1"), "latin1")],
    ["UTF-8 that is declared as UTF-16", Buffer.from(text("utf-16"))],
  ])("%s", async (_, bytes) => {
    const dataset = await open(bytes, ["x.png"]);
    expect(dataset.classes.map(({ name }) => name)).toEqual(["café"]);
    expect(await pixelsOf(dataset)).toBe(6);
  });

  test("Latin-1 that is not declared is an error", async () => {
    await expect(open(Buffer.from(text("utf-8"), "latin1"), ["x.png"])).rejects.toThrow(
      /expected text in utf-8, got other bytes in .*a\.xml/,
    );
  });
});

test("two tasks with one image are a problem that names both", async () => {
  const { problems } = await open(document(imageOf("x.png") + imageOf("x.png", SHAPE, 'id="7"')), ["x.png"]);
  expect(problems).toEqual([
    {
      kind: "two labels for one image",
      sample: "x",
      text: expect.stringMatching(/x\.png is labelled by image id 0 of .* and by image id 7 of .*a\.xml/),
    },
  ]);
});

test("shapes without an area are named; damaged ones are errors that name the image", async () => {
  const flat = '<box label="a" xtl="1" ytl="1" xbr="1" ybr="3"/><polygon label="a" points="0,0;1,1;2,2"/>';
  const { problems } = await open(document(imageOf("x.png", SHAPE + flat)), ["x.png"]);
  expect(problems!.map(({ kind, text }) => [kind, text])).toEqual(
    Array(2).fill([
      "annotation without area",
      'x.png, a shape of "a": a polygon on a line; draw it anew or delete it',
    ]),
  );
  for (const points of ["0,0;1,1", "0,0;1,1;2", "0,0;1,;2,2", ""]) {
    const shape = `<polygon label="a" points="${points}"/>`;
    await expect(open(document(imageOf("x.png", shape)), ["x.png"])).rejects.toThrow(
      /a\.xml: image "x\.png": <polygon> has points=/,
    );
  }
});
