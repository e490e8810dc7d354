import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenesClasses } from "@armseg/scenes";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { checkConfig } from "../config/read-config.ts";
import { CounterRandom } from "../core/random.ts";
import { encodeLabelPng } from "../data/drawing/index.ts";
import { decodePng } from "../data/labels/png.ts";
import { writeScenes } from "../data/write-scenes.ts";
import { checkData, checkText } from "./check-data.ts";

const HEIGHT = 240;
const WIDTH = 480;
const classes = scenesClasses.map(({ name, color }) => ({ name, color: [...color] }));
const map = { ...Object.fromEntries(classes.map(({ name }, i) => [i, name])), 255: "ignore" };
type DataConfig = Parameters<typeof checkData>[0];

interface Folder {
  readonly root: string;
  readonly mask: (name: string) => string;
  readonly image: (name: string) => string;
}

const made = mkdtempSync(join(tmpdir(), "armseg-check-"));
beforeAll(async () => {
  await writeScenes(join(made, "scenes"), { count: 12, seed: 5, size: [HEIGHT, WIDTH], splits: { all: 1 } });
});

/** A copy of twelve scenes, `scene_000000` to `scene_000011`. */
function scenesFolder(): Folder {
  const root = mkdtempSync(join(tmpdir(), "armseg-check-"));
  cpSync(join(made, "scenes"), root, { recursive: true });
  return folderOf(root);
}

/** A folder without files. */
function emptyFolder(): Folder {
  const folder = folderOf(mkdtempSync(join(tmpdir(), "armseg-check-")));
  mkdirSync(join(folder.root, "images/all"), { recursive: true });
  mkdirSync(join(folder.root, "labels/all"), { recursive: true });
  return folder;
}

/** The class indices of a label file. */
function readIndices(path: string): Uint8Array {
  return Uint8Array.from(decodePng(readFileSync(path)).data);
}

function folderOf(root: string): Folder {
  return {
    root,
    mask: (name) => join(root, "labels/all", `${name}.png`),
    image: (name) => join(root, "images/all", `${name}.png`),
  };
}

/** The data part of a configuration; the named samples are the validation split. */
function configOf(
  { root }: Folder,
  train: readonly string[],
  val: readonly string[],
  labels: Record<string, unknown> = {},
): DataConfig {
  for (const [name, list] of Object.entries({ train, val }))
    writeFileSync(join(root, `${name}.txt`), `${list.join("\n")}\n`);
  const data = {
    format: "folder",
    images: join(root, "images/all"),
    masks: join(root, "labels/all"),
    classes,
    labels: { map },
    train: { list: join(root, "train.txt") },
    val: { list: join(root, "val.txt") },
    ...labels,
  };
  return checkConfig({ data }, "the test").data;
}

const scene = (index: number): string => `scene_${String(index).padStart(6, "0")}`;
const scenes = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => scene(from + i));

async function pageOf(folder: Folder, data: DataConfig, options = {}): Promise<string> {
  const html = join(folder.root, `page-${Math.random()}.html`);
  await checkData(data, { html, ...options });
  return readFileSync(html, "utf8");
}

/** The cards of a section, or of a problem. */
function cardsOf(html: string, heading: string): string[] {
  const from = html.slice(html.indexOf(heading));
  const part = from.slice(0, from.slice(1).search(/<h[23]>/) + 1);
  return part.match(/<figure class="sample">.*?<\/figure>/gs) ?? [];
}

/** The pixels of the label that a card shows. */
async function labelOf(html: string, card: string): Promise<(x: number, y: number) => string> {
  const id = /href="#(label-\d+)"/.exec(card)![1]!;
  const [, base64] = new RegExp(`id="${id}"[^>]*data:image/png;base64,([^"]+)"`).exec(html)!;
  const { data, info } = await sharp(Buffer.from(base64!, "base64"))
    .raw()
    .toBuffer({ resolveWithObject: true });
  return (x, y) => {
    const [r, g, b, alpha] = data.subarray(4 * (y * info.width + x));
    return alpha === 0 ? "clear" : `${r},${g},${b}`;
  };
}

/** Colours of a grid of places, borders left out: brighter than any class. */
function grid(at: (x: number, y: number) => string, shift = 0): string[] {
  const known = new Set(classes.map(({ color }) => color.join()));
  const places = [20, 100, 180, 230].flatMap((y) =>
    [150, 210, 270, 330, 390, 450].map((x) => at(x - shift, y)),
  );
  return places.map((color) => (known.has(color) ? color : "border"));
}

/** The same of a label file. */
function gridOfFile(path: string, shift = 0): string[] {
  const data = readIndices(path);
  const at = (x: number, y: number): string => classes[data[y * WIDTH + x]!]!.color.join();
  return grid(at, shift);
}

/** How many of two lists of colours agree, where neither is at a border. */
function agreement(a: readonly string[], b: readonly string[]): number {
  const both = a.flatMap((color, i) => (color === "border" || b[i] === "border" ? [] : [color === b[i]]));
  return both.filter(Boolean).length / both.length;
}

describe("the page of a check", () => {
  test("shows labels as they lie: right, shifted, swapped and empty", async () => {
    const folder = scenesFolder();
    const [right, moved, first, second, empty] = [0, 1, 2, 3, 4].map((i) =>
      folder.mask(scene(i)),
    ) as string[];
    const data = readIndices(moved!);
    const shifted = data.map((_, i) => (i % WIDTH < 100 ? 255 : data[i - 100]!));
    const was = gridOfFile(moved!, 100);
    const label = { height: HEIGHT, width: WIDTH };
    writeFileSync(moved!, encodeLabelPng({ ...label, data: shifted }, scenesClasses));
    writeFileSync(empty!, encodeLabelPng({ ...label, data: data.map(() => 255) }, scenesClasses));
    const other = readFileSync(first!);
    renameSync(second!, first!);
    writeFileSync(second!, other);

    const html = await pageOf(folder, configOf(folder, scenes(0, 8), scenes(8, 12)));
    const random = cardsOf(html, "<h2>At random");
    expect(random).toHaveLength(12);
    const card = (i: number): string => random.find((text) => text.includes(`<strong>${scene(i)}<`))!;
    const shown = async (i: number): Promise<string[]> => grid(await labelOf(html, card(i)));

    expect(agreement(await shown(0), gridOfFile(right!))).toBe(1);
    expect(agreement(await shown(1), was)).toBe(1);
    const atMoved = await labelOf(html, card(1));
    // Hatched where nothing is left: bright, dark, bare.
    expect(new Set([0, 1, 2, 3, 4, 5, 6, 7].map((x) => atMoved(x + 28, 0)))).toEqual(
      new Set(["240,240,240", "40,40,40", "clear"]),
    );
    expect(card(1)).toMatch(/ignored<span class="soft"> 20\.8 %/);
    expect(agreement(await shown(2), gridOfFile(folder.mask(scene(2))))).toBe(1);
    expect(gridOfFile(folder.mask(scene(3)))).not.toEqual(gridOfFile(folder.mask(scene(2))));
    expect(agreement(await shown(3), gridOfFile(folder.mask(scene(3))))).toBe(1);

    const [warned] = cardsOf(html, "label without a valid pixel (1)");
    expect(warned).toContain(`<strong>${scene(4)}<`);
    expect(warned).toMatch(/ignored<span class="soft"> 100\.0 %/);
    expect(new Set(grid(await labelOf(html, warned!)))).toEqual(new Set(["border"]));
    expect(html).toContain(empty!);
    expect(cardsOf(html, "<h2>Least labelled")[0]).toContain(`<strong>${scene(1)}<`);
  });

  test("shows each image once, beside its label over it", async () => {
    const folder = scenesFolder();
    const html = await pageOf(folder, configOf(folder, scenes(0, 3), [scene(3)]));
    const files = html.match(/<image id="image-\d+"/g)!;
    expect(files).toHaveLength(4);
    const [card] = cardsOf(html, "<h2>At random");
    expect(card).toMatch(
      /aria-label="image of (\w+)".*#image-(\d+)".*aria-label="label of \1" class="over".*#image-\2".*#label-\2"/,
    );
    expect(cardsOf(html, "<h2>Most classes").length).toBeGreaterThan(1);
  });

  test("shows pixels outside the label map, labels of another size, and says what cannot be read", async () => {
    const folder = scenesFolder();
    const data = readIndices(folder.mask(scene(0)));
    const many = Array.from({ length: 40 }, (_, i) => ({ name: `${i}`, color: [i, i, i] as const }));
    const unknown = data.map((value, i) => (i < 100 * WIDTH ? 34 : value));
    writeFileSync(
      folder.mask(scene(0)),
      encodeLabelPng({ height: HEIGHT, width: WIDTH, data: unknown }, many),
    );
    writeFileSync(
      folder.mask(scene(1)),
      encodeLabelPng({ height: HEIGHT / 2, width: WIDTH, data: data.subarray(0, data.length / 2) }, many),
    );
    writeFileSync(folder.image(scene(2)), "no image");
    const html = await pageOf(folder, configOf(folder, scenes(0, 6), scenes(6, 8)));
    const [outside] = cardsOf(html, "value outside the label map (1)");
    expect((await labelOf(html, outside!))(240, 50)).toBe("255,0,255");
    expect(outside).toMatch(/outside the label map<span class="soft"> 41\.7 %/);
    const [small] = cardsOf(html, "label of another size than its image (1)");
    expect(small).toContain("240×480, label 120×480");
    expect(small!.match(/#image-/g)).toHaveLength(1);
    expect(cardsOf(html, "unreadable image (1)")[0]).toMatch(/no image.*cannot read/s);
    expect(html).toContain("Not fit to train on");
    // Errors stand before warnings.
    expect(html.indexOf(">error<")).toBeLessThan(html.indexOf(">warning<"));
  });

  test("shows shapes whose name is outside the label map", async () => {
    const root = mkdtempSync(join(tmpdir(), "armseg-check-"));
    const square = (label: string, x: number) => {
      const points = [
        [x, 0],
        [x + 40, 0],
        [x + 40, 40],
        [x, 40],
      ];
      return { label, shape_type: "polygon", points };
    };
    for (const name of ["a", "b"]) {
      const shapes = [square("field", 0), square(name === "a" ? "lake" : "wood", 60)];
      const file = { imagePath: `${name}.png`, imageHeight: 50, imageWidth: 100, shapes };
      writeFileSync(join(root, `${name}.json`), JSON.stringify(file));
      const create = { height: 50, width: 100, channels: 3, background: "#888" } as const;
      writeFileSync(join(root, `${name}.png`), await sharp({ create }).png().toBuffer());
      writeFileSync(join(root, `${name}.txt`), name);
    }
    const known = [
      { name: "field", color: [0, 200, 0] },
      { name: "wood", color: [0, 100, 0] },
    ];
    const lists = { train: { list: join(root, "a.txt") }, val: { list: join(root, "b.txt") } };
    const { data } = checkConfig({ data: { format: "labelme", root, classes: known, ...lists } }, "the test");
    const html = await pageOf(folderOf(root), data);
    const at = await labelOf(html, cardsOf(html, "value outside the label map (1)")[0]!);
    expect([at(40, 40), at(190, 40)]).toEqual(["0,200,0", "255,0,255"]);
  });

  test("has pixels, shares and images of each class of both splits, and what is ignored", async () => {
    const folder = scenesFolder();
    const data = configOf(folder, scenes(0, 4), [scene(4)]);
    const html = await pageOf(folder, data);
    const { train } = await checkData(data);
    const valid = train.classes.reduce((sum, { pixels }) => sum + pixels, 0);
    const { name, pixels, images } = train.classes[3]!;
    const share = ((100 * pixels) / valid).toFixed(1);
    expect(html).toMatch(
      new RegExp(
        `</span>${name}</td><td>3</td><td><span class="bar">.*?</td><td>${share} %</td><td>${images}</td>`,
      ),
    );
    expect(html).toContain("240x480: 4");
    expect(html).toContain("palette 8-bit: 4");
  });

  test("lists the cases of a problem, the first five open", async () => {
    const folder = scenesFolder();
    for (let i = 0; i < 12; i++) writeFileSync(folder.image(`lonely_${String(i).padStart(2, "0")}`), "x");
    const html = await pageOf(folder, configOf(folder, scenes(0, 3), [scene(3)]));
    expect(html).toContain("file without a partner (12)");
    expect(html.match(/<li>[^<]*lonely_\d+\.png<\/li>/g)).toHaveLength(10);
    expect(html).toMatch(/<summary>7 more<\/summary><pre>[^<]*lonely_05\.png\n[^<]*lonely_11\.png<\/pre>/);
  });

  test("compares the masks of both splits, which are each fine alone", async () => {
    const folder = scenesFolder();
    const grey = (level: number) => new Uint8Array(HEIGHT * WIDTH).fill(level, HEIGHT * 100);
    const raw = { height: HEIGHT, width: WIDTH, channels: 1 } as const;
    for (let i = 0; i < 4; i++) {
      const levels = sharp(grey(i < 3 ? 1 : 255), { raw }).toColourspace("b-w");
      writeFileSync(folder.mask(scene(i)), await levels.png().toBuffer());
    }
    const labels = { labels: { map: { 0: classes[0]!.name, 1: classes[1]!.name, 255: "ignore" } } };
    const data = configOf(folder, scenes(0, 3), [scene(3)], { ...labels, classes: classes.slice(0, 2) });
    const html = join(folder.root, "between.html");
    const check = await checkData(data, { html });
    expect(check.between).toMatchObject([{ kind: "two-valued masks of two kinds", count: 1 }]);
    expect(checkText(check)).toMatch(
      /train and val together:\nwarning: two-valued masks of two kinds \(1\)\n {2}masks of 0 and 1 \(.*scene_000000\.png and 2 more\) beside/,
    );
    expect(readFileSync(html, "utf8")).toContain(
      `<span class="tag">both splits</span>two-valued masks of two kinds (1)`,
    );
  });

  test("takes names of files and classes as text, never as markup", async () => {
    const folder = emptyFolder();
    const names = [`<b onclick=1>&"'`, "<script>", "plain"];
    for (const name of names) {
      writeFileSync(
        folder.image(name),
        await sharp({ create: { height: 4, width: 4, channels: 3, background: "#888" } })
          .png()
          .toBuffer(),
      );
      const data = new Uint8Array(16).fill(name === "plain" ? 255 : 0).fill(1, 8, name === "plain" ? 8 : 16);
      writeFileSync(folder.mask(name), encodeLabelPng({ height: 4, width: 4, data }, scenesClasses));
    }
    const evil = `</style><img src=x onerror="alert(1)">`;
    const own = [evil, "other"].map((name, i) => ({ name, color: [i, 0, 0] }));
    const labels = { classes: own, labels: { map: { 0: evil, 1: "other", 255: "ignore" } } };
    const html = await pageOf(folder, configOf(folder, names.slice(0, 2), [names[2]!], labels));
    expect(html).toContain("&lt;b onclick=1&gt;&amp;&quot;&#39;");
    expect(html).toContain("Rarest class: &lt;/style&gt;&lt;img src=x");
    expect(html).not.toMatch(/<b |<script|<img|onerror="/);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).not.toMatch(/(src|href)="(?!#|data:image\/(png|jpeg);base64,[A-Za-z0-9+/=]+")/);
  });

  test("stays below 7 MB whatever the images are, with thumbnails of at most 480 pixels", async () => {
    const folder = emptyFolder();
    const random = new CounterRandom({ seed: 1, iteration: 0, index: 0, stream: 0 });
    const noise = Uint8Array.from({ length: 500 * 500 * 4 }, () => random.uint32());
    const names = Array.from({ length: 30 }, (_, i) => `noise_${i}`);
    for (const [i, name] of names.entries()) {
      const raw = { height: 500, width: 500, channels: 3 } as const;
      const pixels = noise.subarray(i, i + 500 * 500 * 3);
      writeFileSync(folder.image(name), await sharp(pixels, { raw }).png({ compressionLevel: 0 }).toBuffer());
      const data = noise.subarray(i, i + 500 * 500).map((value) => (value % 12 === 11 ? 255 : value % 12));
      writeFileSync(folder.mask(name), encodeLabelPng({ height: 500, width: 500, data }, scenesClasses));
    }
    const html = await pageOf(folder, configOf(folder, names.slice(0, 20), names.slice(20)));
    expect(html.length).toBeGreaterThan(6e6);
    expect(html.length).toBeLessThan(7e6);
    expect(cardsOf(html, "<h2>At random")).toHaveLength(12);
    const sides = await Promise.all(
      [...html.matchAll(/href="data:image\/\w+;base64,([^"]+)"/g)].map(async ([, base64]) => {
        const { height, width } = await sharp(Buffer.from(base64!, "base64")).metadata();
        return Math.max(height, width);
      }),
    );
    expect(Math.max(...sides)).toBe(480);
  }, 60_000);

  test("is another dozen with another seed, the same with the same", async () => {
    const folder = scenesFolder();
    const data = configOf(folder, scenes(0, 10), scenes(10, 12));
    const dozen = async (seed: number): Promise<string> =>
      cardsOf(await pageOf(folder, data, { seed }), "<h2>At random")
        .map((card) => /<strong>(.*?)</.exec(card)![1])
        .join();
    expect(await dozen(1)).toBe(await dozen(1));
    expect(await dozen(1)).not.toBe(await dozen(2));
  });

  test("is not written over a file, which is said before anything is read; the text names it", async () => {
    const folder = scenesFolder();
    const data = configOf(folder, scenes(0, 2), [scene(2)]);
    const html = join(folder.root, "page.html");
    const check = await checkData(data, { html });
    expect(checkText(check)).toMatch(
      /\nWrote .*page\.html.*\nFit to train on, but read the warnings first\.$/,
    );
    const size = statSync(html).size;
    let isRead = false;
    const again = checkData(data, { html, onProgress: () => (isRead = true) });
    await expect(again).rejects.toThrow(/page\.html exists and is not overwritten/);
    expect([isRead, statSync(html).size]).toEqual([false, size]);
    expect(checkText(await checkData(data))).not.toContain("Wrote");
  });
});
