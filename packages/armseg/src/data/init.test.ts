import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { folder } from "./formats/folder.ts";
import { type InitProposal, proposeConfig } from "./init.ts";
import { labelMapOf } from "./labels/class-labels.ts";
import { readLabel } from "./labels/read-label.ts";
import { encodePng, encodeTiff, fixture } from "./test-support.ts";

let picture: Uint8Array;
beforeAll(async () => {
  picture = await sharp(new Uint8Array(9), { raw: { height: 1, width: 3, channels: 3 } })
    .png()
    .toBuffer();
});

async function propose(
  masks: Record<string, Uint8Array>,
  options = {},
): Promise<InitProposal & { root: string }> {
  const images = Object.fromEntries(Object.keys(masks).map((name) => [`images/${name}`, picture]));
  const root = await fixture({
    ...images,
    ...Object.fromEntries(Object.entries(masks).map(([name, mask]) => [`masks/${name}`, mask])),
  });
  return { root, ...(await proposeConfig(join(root, "images"), join(root, "masks"), options)) };
}

const grey = (...values: number[]): Uint8Array => encodePng(0, 8, 1, 3, values);

/** The proposal, read as the data set that a run would read. */
async function labelsOf({ data, train, val }: InitProposal): Promise<number[][]> {
  const { encoding, map, ...reading } = data.labels;
  const labelMap = labelMapOf(encoding, map, data.classes);
  const { samples } = await folder({
    ...data,
    ...reading,
    split: "train",
    labelMap,
    names: [...train, ...val].sort(),
  });
  return Promise.all(samples.map(async ({ annotation }) => [...(await readLabel(annotation!)).data]));
}

describe("proposeConfig()", () => {
  test("grey masks: values become classes, 255 is ignored", async () => {
    const proposal = await propose({ "a.png": grey(0, 3, 255), "b.png": grey(7, 7, 0) });
    expect(proposal.data.labels).toEqual({
      encoding: "values",
      map: { 0: "class_0", 3: "class_3", 7: "class_7", 255: "ignore" },
    });
    expect(proposal.data.classes.map(({ name }) => name)).toEqual(["class_0", "class_3", "class_7"]);
    expect(await labelsOf(proposal)).toEqual([
      [0, 1, 255],
      [2, 2, 0],
    ]);
    expect(proposal.sentences).toContain("Value 255 is taken as ignored.");
  });

  test("masks of 0 and 255 are background and foreground", async () => {
    const proposal = await propose({ "a.png": grey(0, 255, 255), "b.png": grey(0, 0, 0) });
    expect(proposal.data.labels.map).toEqual({ 0: "background", 255: "foreground" });
    expect(await labelsOf(proposal)).toEqual([
      [0, 1, 1],
      [0, 0, 0],
    ]);
  });

  test("indexed masks: palette indices, with the palette's colours", async () => {
    const palette = { type: "PLTE", body: Uint8Array.from([0, 0, 0, 200, 10, 20, 30, 200, 40]) };
    const proposal = await propose({
      "a.png": encodePng(3, 8, 1, 3, [0, 1, 2], [palette]),
      "b.png": encodePng(3, 8, 1, 3, [1, 1, 1], [palette]),
    });
    expect(proposal.data.classes[1]).toEqual({ name: "class_1", color: [200, 10, 20] });
    expect(await labelsOf(proposal)).toEqual([
      [0, 1, 2],
      [1, 1, 1],
    ]);
  });

  test("RGB masks: colours", async () => {
    const proposal = await propose({
      "a.png": encodePng(2, 8, 1, 3, [0, 0, 0, 9, 8, 7, 9, 8, 7]),
      "b.png": encodePng(2, 8, 1, 3, [9, 8, 7, 255, 0, 0, 0, 0, 0]),
    });
    expect(proposal.data.labels).toEqual({
      encoding: "colors",
      map: { "0,0,0": "class_0", "9,8,7": "class_1", "255,0,0": "class_2" },
    });
    expect(await labelsOf(proposal)).toEqual([
      [0, 1, 1],
      [1, 2, 0],
    ]);
    expect(proposal.sentences.join(" ")).toContain("Black is taken as a class");
  });

  test("the split is seeded, and images added later do not move the others", async () => {
    const named = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i + 100}.png`, grey(0, 1, 2)]));
    const [first, again, other, more] = [
      await propose(named(40)),
      await propose(named(40)),
      await propose(named(40), { seed: 1 }),
      await propose(named(50)),
    ];
    expect([first.train.length, first.val.length]).toEqual([32, 8]);
    expect(again.val).toEqual(first.val);
    expect(other.val).not.toEqual(first.val);
    expect(first.val.filter((name) => more.val.includes(name)).length).toBeGreaterThanOrEqual(5);
    await expect(propose(named(1))).rejects.toThrow("splitNames(): 1 image, expected at least 2");
    await expect(propose(named(4), { validationShare: 1 })).rejects.toThrow("validationShare is 1");
  });

  test("the worked example of docs/data.md", async () => {
    const palette = { type: "PLTE", body: Uint8Array.from([0, 0, 0, 0, 128, 0, 128, 0, 0]) };
    const indexed = (...data: number[]): Uint8Array => encodePng(3, 8, 1, 3, data, [palette]);
    const proposal = await propose({
      "north/0001.png": indexed(0, 1, 2),
      "north/0002.png": indexed(0, 0, 255),
      "south/0001.png": indexed(1, 1, 1),
    });
    expect(proposal.sentences.slice(0, 6)).toEqual([
      "3 images with a mask.",
      "The masks are indexed; their palette indices are the labels.",
      "3 values found: 0, 1, 2.",
      "Value 255 is taken as ignored.",
      "Black is taken as a class; if it means unlabelled, map 0 to ignore and remove its class.",
      "Rename the classes in data.classes and data.labels.map.",
    ]);
    expect(proposal.sentences[6]).toMatch(/^Split: 2 images for training and 1 for validation/);
    expect(await labelsOf(proposal)).toEqual([
      [0, 1, 2],
      [0, 0, 255],
      [1, 1, 1],
    ]);
    const classes = [
      { name: "soil", color: [0, 0, 0] },
      { name: "crop", color: [0, 128, 0] },
    ] as const;
    const map = { 0: "soil", 1: "crop", 2: "crop", 255: "ignore" };
    expect(
      await labelsOf({
        ...proposal,
        data: { ...proposal.data, classes, labels: { encoding: "values", map } },
      }),
    ).toEqual([
      [0, 1, 1],
      [0, 0, 255],
      [1, 1, 1],
    ]);
  });

  test("endings that differ are found; sizes that differ are said", async () => {
    const root = await fixture({
      "i/a_rgb.png": picture,
      "i/b_rgb.png": picture,
      "m/a_mask.png": grey(0, 1, 1),
      "m/b_mask.png": encodePng(0, 8, 2, 1, [0, 1]),
    });
    const proposal = await proposeConfig(join(root, "i"), join(root, "m"));
    expect([proposal.data.imageEnding, proposal.data.maskEnding]).toEqual(["_rgb", "_mask"]);
    expect(proposal.sentences).toContain(
      "1 mask of another size than the image, e.g. b_mask.png: fix them before training.",
    );
  });

  test.each([
    [
      "b.png is rgb; export all masks in one form",
      { "a.png": grey(0, 1, 2), "b.png": encodePng(2, 8, 1, 3, [1, 2, 3, 1, 2, 3, 1, 2, 3]) },
    ],
    [
      "at most 255 values, got 257",
      {
        "a.png": encodePng(
          2,
          8,
          20,
          20,
          Array.from({ length: 1200 }, (_, i) => (i * 37) % 256),
        ),
        "b.png": encodePng(2, 8, 1, 1, [0, 0, 0]),
      },
    ],
    ["a truncated PNG", { "a.png": grey(0, 1, 2).subarray(0, 40), "b.png": grey(0, 0, 0) }],
  ])("%s is an error", async (message, masks) => {
    await expect(propose(masks)).rejects.toThrow(message);
  });
});

describe("proposeConfig() on masks that mislead", () => {
  const rgb = (...colors: number[][]): number[] => colors.flat();
  const [BLACK, RED, GREEN] = [
    [0, 0, 0],
    [255, 0, 0],
    [0, 255, 0],
  ];

  function withPalette(samples: number[], ...colors: number[][]): Uint8Array {
    return encodePng(3, 8, 1, 3, samples, [{ type: "PLTE", body: Uint8Array.from(colors.flat()) }]);
  }

  test("palettes that differ from file to file: the colours are the labels", async () => {
    const proposal = await propose({
      "a.png": withPalette([0, 1, 2], BLACK!, RED!, GREEN!),
      "b.png": withPalette([0, 1, 2], GREEN!, BLACK!, RED!),
    });
    expect(proposal.data.labels).toEqual({
      encoding: "colors",
      map: { "0,0,0": "class_0", "0,255,0": "class_1", "255,0,0": "class_2" },
    });
    expect(await labelsOf(proposal)).toEqual([
      [0, 2, 1],
      [1, 0, 2],
    ]);
    expect(proposal.sentences.join(" ")).toContain("palettes that differ from file to file");
  });

  test("indexed beside RGB masks: colours", async () => {
    const proposal = await propose({
      "a.png": withPalette([0, 1, 1], BLACK!, RED!),
      "b.png": encodePng(2, 8, 1, 3, rgb(RED!, RED!, BLACK!)),
    });
    expect(await labelsOf(proposal)).toEqual([
      [0, 1, 1],
      [1, 1, 0],
    ]);
  });

  test.each([
    ["of several depths", { "a.png": grey(0, 255, 0), "b.png": encodePng(0, 1, 1, 3, [0, 1, 1]) }],
    ["of 0/1 beside 0/255", { "a.png": grey(0, 255, 0), "b.png": grey(0, 1, 1) }],
  ])("two-valued masks %s are refused with the remedy", async (_, masks) => {
    await expect(propose(masks)).rejects.toThrow(/b\.png.*labels\.threshold/);
  });

  test("a wholly ignored mask beside masks of 0 and 1 is no second form", async () => {
    const proposal = await propose({ "a.png": grey(0, 1, 1), "b.png": grey(255, 255, 255) });
    expect(proposal.data.labels.map).toEqual({ 0: "class_0", 1: "class_1", 255: "ignore" });
  });

  test("levels from black to white: white is a class", async () => {
    const proposal = await propose({ "a.png": grey(0, 128, 255), "b.png": grey(255, 255, 128) });
    expect(proposal.data.labels.map).toEqual({ 0: "class_0", 128: "class_128", 255: "class_255" });
    expect(proposal.sentences.join(" ")).toContain("255 is taken as a class, not as ignored");
    const oneBit = await propose({
      "a.png": encodePng(0, 1, 1, 3, [0, 1, 1]),
      "b.png": encodePng(0, 1, 1, 3, [0, 0, 1]),
    });
    expect(oneBit.data.labels.map).toEqual({ 0: "background", 1: "foreground" });
  });

  /** A square, enlarged with smoothing. */
  async function smoothed(low: number, high: number): Promise<Uint8Array> {
    const square = Uint8Array.from({ length: 256 }, (_, i) =>
      i % 16 > 3 && i % 16 < 12 && i > 63 && i < 192 ? high : low,
    );
    return sharp(square, { raw: { height: 16, width: 16, channels: 1 } })
      .resize(64, 64, { kernel: "linear" })
      .toColourspace("b-w")
      .png()
      .toBuffer();
  }

  test("smoothed masks of black and white: a threshold", async () => {
    const mask = await smoothed(0, 255);
    const proposal = await propose({ "a.png": mask, "b.png": mask });
    expect(proposal.data.labels).toEqual({
      encoding: "values",
      threshold: 128,
      map: { 0: "background", 255: "foreground" },
    });
    expect(proposal.sentences.join(" ")).toMatch(/\d+ grey levels, of which \d+ occur at borders only/);
    const [labels] = await labelsOf(proposal);
    const shown = await sharp(mask).toColourspace("b-w").raw().toBuffer();
    expect(labels).toEqual([...shown].map((level) => (level < 128 ? 0 : 1)));
  });

  test("smoothed masks of other levels are refused", async () => {
    const mask = await smoothed(0, 128);
    await expect(propose({ "a.png": mask, "b.png": mask })).rejects.toThrow(
      /occur at borders only.* the labels are around 0, 128\. .*nearest neighbour/,
    );
  });

  test("transparent pixels: said, and ignored where they hide colours that are seen elsewhere", async () => {
    const rgba = (...samples: number[]): Uint8Array => encodePng(6, 8, 1, 3, samples);
    const apart = { "a.png": rgba(0, 0, 0, 0, 9, 9, 0, 255, 9, 9, 0, 255) };
    const said = await propose({ ...apart, "b.png": rgba(0, 0, 0, 0, 9, 9, 0, 255, 0, 0, 0, 0) });
    expect(said.data.labels.transparent).toBeUndefined();
    expect(said.sentences.join(" ")).toContain("2 masks with transparent pixels");
    const erased = await propose({ ...apart, "b.png": rgba(9, 9, 0, 0, 9, 9, 0, 255, 7, 7, 0, 255) });
    expect(erased.data.labels.transparent).toBe("ignore");
    expect(erased.sentences.join(" ")).toContain("as an eraser leaves them");
  });

  test("a single class: what to do is said", async () => {
    const proposal = await propose({ "a.png": grey(1, 255, 1), "b.png": grey(255, 1, 1) });
    expect(proposal.sentences.join(" ")).toMatch(/class_1 is the only class.*background and map 255 to it/);
  });

  test("files of types that are not read are said", async () => {
    const root = await fixture({
      "i/a.png": picture,
      "i/b.png": picture,
      "i/c.heic": "x",
      "m/a.png": grey(0, 1, 1),
      "m/b.png": grey(0, 1, 1),
      "m/c.tif": "x",
      "t/a.tif": "x",
      "t/b.tif": "x",
    });
    const { sentences } = await proposeConfig(join(root, "i"), join(root, "m"));
    expect(sentences.join(" ")).toContain("types that are not read: c.heic; images are read as JPEG");
    expect(sentences.join(" ")).toContain("types that are not read: c.tif; masks are read as PNG");
    await expect(proposeConfig(join(root, "i"), join(root, "t"))).rejects.toThrow("a.tif, b.tif; masks");
  });
});

describe("proposeConfig() on black that was left between the labels", () => {
  const PALETTE = { type: "PLTE", body: Uint8Array.from([0, 0, 0, 200, 0, 0, 0, 200, 0]) };
  const indexed = (...values: number[]): Uint8Array => encodePng(3, 8, 1, values.length, values, [PALETTE]);
  const rgb = (...values: number[]): Uint8Array =>
    encodePng(
      2,
      8,
      1,
      values.length,
      values.flatMap((value) => [0, value === 2 ? 9 : 0, value === 1 ? 9 : 0]),
    );
  const plain = (...values: number[]): Uint8Array => encodePng(0, 8, 1, values.length, values);
  const AROUND = [0, 1, 1, 1, 0, 2, 2, 2, 0, 1, 1, 1, 1, 0, 2, 2, 0, 1, 1, 1, 1, 1, 1, 1, 1];
  const COVERING = [0, 0, 0, 0, 1, 2, 1, 2];

  test.each([
    [
      "indexed, around everything",
      indexed,
      AROUND,
      "0",
      /Black \(0\) lies around everything else \(20 % of the pixels\)/,
    ],
    ["indexed, over a third", indexed, COVERING, "0", /Black \(0\) covers 50 % of the pixels/],
    ["RGB, over a third", rgb, COVERING, "0,0,0", /Black \(0,0,0\) covers 50 % of the pixels/],
    ["grey, around everything", plain, AROUND, "0", /Black \(0\) lies around everything else/],
  ])("%s: ignored, and how to undo it is said", async (_, encode, values, key, reason) => {
    const masks = { "a.png": encode(...values), "b.png": encode(...values) };
    const proposal = await propose(masks);
    expect(proposal.data.labels.map[key]).toBe("ignore");
    expect(proposal.data.classes).toHaveLength(2);
    expect((await labelsOf(proposal))[0]).toEqual(values.map((value) => (value === 0 ? 255 : value - 1)));
    expect(proposal.sentences.join(" ")).toMatch(reason);
    expect(proposal.sentences.join(" ")).toContain("start again with `--background NAME`");
    const undone = await propose(masks, { background: "soil", names: ["crop", "weed"] });
    expect(undone.data.classes.map(({ name }) => name)).toEqual(["soil", "crop", "weed"]);
    expect((await labelsOf(undone))[0]).toEqual(values);
    expect(undone.sentences.join(" ")).not.toMatch(/Black|Rename/);
  });

  test.each([
    ["grey over a third: 0 may be any class", plain(...COVERING)],
    ["another value is ignored already", indexed(...AROUND, 255)],
    ["one class alone would be left", indexed(0, 1, 0, 1, 0, 0)],
  ])("%s", async (_, mask) => {
    const { data } = await propose({ "a.png": mask, "b.png": mask });
    expect(data.labels.map[0]).toBe("class_0");
  });

  test("as many names as classes, and a background that is there", async () => {
    const mask = plain(1, 2, 1);
    const masks = { "a.png": mask, "b.png": mask };
    await expect(propose(masks, { names: ["crop"] })).rejects.toThrow(
      "expected 2 names, one for each of class_1, class_2, got 1: crop",
    );
    await expect(propose(masks, { background: "soil" })).rejects.toThrow(
      'black pixels to name "soil", got none',
    );
  });
});

test("labelMapOf() reads values, colours and names as people write them", () => {
  const classes = [{ name: "road", color: [0, 0, 0] }] as const;
  expect(labelMapOf("values", { "07": "road", 255: "ignore" }, classes).classes).toEqual({ 7: 0, 255: 255 });
  expect(labelMapOf("colors", { "128, 64, 128": "road", "#0000ff": "ignore" }, classes).classes).toEqual({
    "128,64,128": 0,
    "0,0,255": 255,
  });
  expect(labelMapOf("names", { car: "ignore" }, classes).classes).toEqual({ car: 255 });
  expect(() => labelMapOf("values", { 7: "rode" }, classes)).toThrow(
    'sends 7 to "rode", expected one of road, ignore',
  );
  expect(() => labelMapOf("values", { red: "road" }, classes)).toThrow("expected a value such as 7");
  expect(() => labelMapOf("colors", { "1,2": "road" }, classes)).toThrow("expected a colour");
});

describe("images of other values than 8-bit ones", () => {
  const raw = { height: 4, width: 4, channels: 1 } as const;
  async function proposeFor(images: readonly Uint8Array[], type: string): Promise<InitProposal> {
    const files = images.flatMap((image, i) => [
      [`images/${i}.${type}`, image],
      [
        `masks/${i}.png`,
        encodePng(
          0,
          8,
          4,
          4,
          Array.from({ length: 16 }, (_, at) => at % 2),
        ),
      ],
    ]);
    const root = await fixture(Object.fromEntries(files));
    return proposeConfig(join(root, "images"), join(root, "masks"));
  }
  const grey16 = (low: number, high: number) =>
    sharp(
      Uint16Array.from({ length: 16 }, (_, i) => (i < 8 ? low : high)),
      { raw },
    )
      .toColourspace("grey16")
      .png()
      .toBuffer();

  test("of 12 bits in 16: the range of 12 bits is set", async () => {
    const { data, sentences } = await proposeFor([await grey16(200, 3271), await grey16(90, 3000)], "png");
    expect(data.imageRange).toEqual([0, 4095]);
    expect(sentences).toContainEqual(expect.stringMatching(/use 12 of them, .*imageRange: \[0, 4095\]/));
  });

  test("of 16 bits that fill them, and of 8: nothing is set", async () => {
    for (const image of [await grey16(0, 65000), encodePng(0, 8, 4, 4, new Array(16).fill(3))]) {
      const { data, sentences } = await proposeFor([image, image], "png");
      expect([data.imageRange, sentences.join().includes("imageRange")]).toEqual([undefined, false]);
    }
  });

  test("in another range, or float: left to the reader, and said", async () => {
    const thermal = await proposeFor([await grey16(7000, 9000), await grey16(7100, 8000)], "png");
    expect(thermal.data.imageRange).toBeUndefined();
    expect(thermal.sentences.join()).toContain("set data.imageRange: [7000, 9000]");
    const tiff = encodeTiff(
      Float32Array.from({ length: 16 }, (_, i) => i / 16),
      [4, 4, 1],
    );
    expect((await proposeFor([tiff, tiff], "tif")).sentences.join()).toContain("32-bit float");
  });
});
