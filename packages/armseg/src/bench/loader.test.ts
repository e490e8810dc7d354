import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImageFolder, imageFolder } from "../pipeline/testing/image-folder.ts";
import { benchLoader } from "./loader.ts";

let folder: ImageFolder;
beforeAll(async () => {
  folder = await imageFolder(2);
});
afterAll(() => folder.remove());

test("ours is measured without any peer, and peers that are not installed are left out", async () => {
  const { images, figures } = await benchLoader({
    samples: folder.samples,
    images: 3,
    rounds: 1,
    pythons: ["/nowhere/python3"],
  });
  expect(images).toBe(3);
  expect(figures.map(({ library }) => library)).toEqual(["armseg"]);
  expect(figures[0]!.imagesPerSecondPerCore).toBeGreaterThan(1);
});

test("labels that the peer cannot read are a named error", async () => {
  const annotation = {
    kind: "regions",
    path: "/a.json",
    format: "labelme",
    labelMap: { encoding: "names", classes: {} },
    background: 255,
  } as const;
  const samples = [{ ...folder.samples[0]!, annotation }];
  await expect(benchLoader({ samples, images: 1, rounds: 1 })).rejects.toThrow("mask of label values");
});
