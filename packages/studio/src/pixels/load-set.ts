import { createReadStream } from "node:fs";
import { dirname } from "node:path";
import {
  type AuditedImage,
  auditPaths,
  type MapsImage,
  mapsPaths,
  readAuditedImages,
  readAuditSummary,
  readMapsImages,
  readMapsInfo,
} from "armseg/runs";
import type { MapSet } from "../api.ts";
import { shownPath } from "../shown-path.ts";
import { disagreementOf, imageMIoU, type SetImage } from "./map-set.ts";

const NEWLINE = 10;

/** Says what a folder of maps holds, from its first line and the number of its lines. @param run - The id of the run that it lies in, if it does. */
export async function describeMaps(id: string, folder: string, run: string | null): Promise<MapSet> {
  const info = readMapsInfo(folder);
  const first = await firstOf(readMapsImages(folder));
  const what = info.split === null ? "predictions" : `${info.split} split`;
  return {
    id,
    title: `${info.run}, ${what}${info.iteration === null ? "" : `, iteration ${info.iteration}`}`,
    kind: "maps",
    run,
    iteration: info.iteration,
    split: info.split,
    images: await countLines(mapsPaths(folder).images),
    classes: info.classes,
    hasLabels: Boolean(first?.planes.label),
    remedy: id.endsWith("/samples")
      ? `npx armseg eval ${shownPath(dirname(dirname(folder)))} --maps   # the whole split instead of a few samples`
      : null,
  };
}

/** Reads the images of a folder of maps. */
export async function loadMaps(folder: string): Promise<SetImage[]> {
  const images: SetImage[] = [];
  for await (const image of readMapsImages(folder)) images.push(mapsImage(image));
  return images;
}

async function firstOf<T>(items: AsyncGenerator<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>)
    for (const byte of piece) if (byte === NEWLINE) lines++;
  return lines;
}

function mapsImage({ image, imageFile, imageRange, size, planes, confusion }: MapsImage): SetImage {
  const counts = confusion && Int32Array.from(confusion.flat());
  const { label, prediction, confidence } = planes;
  return {
    name: image,
    size,
    imageFile,
    imageRange: imageRange ?? null,
    planes: { ...(label !== null && { label }), prediction, confidence },
    confusion: counts,
    mIoU: counts && imageMIoU(counts),
    disagreement: counts && disagreementOf(counts),
    quality: null,
  };
}

/** Says what an audit holds; it must be complete. */
export async function describeAudit(run: string, folder: string): Promise<MapSet> {
  const paths = auditPaths(folder);
  const summary = readAuditSummary(paths.summary);
  const first = await firstOf(readAuditedImages(paths.images));
  return {
    id: `${run}/audit`,
    title: `${run}, audit of the ${summary.split} split`,
    kind: "audit",
    run,
    iteration: null,
    split: summary.split,
    images: summary.images,
    classes: summary.classes.map(({ name, color }) => ({ name, color })),
    hasLabels: Boolean(first?.planes),
    remedy: first?.planes ? null : `npx armseg audit ${shownPath(folder)}   # without --no-planes`,
  };
}

/** Reads the images of an audit. */
export async function loadAudit(folder: string): Promise<SetImage[]> {
  const images: SetImage[] = [];
  for await (const image of readAuditedImages(auditPaths(folder).images)) images.push(auditedImage(image));
  return images;
}

function auditedImage(audited: AuditedImage): SetImage {
  const { image, imageFile, size, planes, disagreeing, labelled, quality } = audited;
  return {
    name: image,
    size,
    imageFile,
    imageRange: null,
    // What an audit keeps is the likelihood of the prediction; the page shows it in the place of the confidence.
    planes: planes
      ? { label: planes.label, prediction: planes.prediction, confidence: planes.likelihood }
      : {},
    confusion: null,
    mIoU: null,
    disagreement: labelled > 0 ? disagreeing / labelled : null,
    quality,
  };
}
