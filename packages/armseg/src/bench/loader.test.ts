import { afterAll, beforeAll, expect, test } from "vitest";
import { type PictureFolder, pictureFolder } from "../pipeline/testing/picture-folder.ts";
import { benchLoader } from "./loader.ts";

let pictures: PictureFolder;
beforeAll(async () => {
  pictures = await pictureFolder(2);
});
afterAll(() => pictures.remove());

test("ours is measured without any peer, and peers that are not installed are left out", async () => {
  const { images, figures } = await benchLoader({
    samples: pictures.samples,
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
  const samples = [{ ...pictures.samples[0]!, annotation }];
  await expect(benchLoader({ samples, images: 1, rounds: 1 })).rejects.toThrow("mask of label values");
});
