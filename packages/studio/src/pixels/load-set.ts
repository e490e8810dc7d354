import { existsSync } from "node:fs";
import { dirname } from "node:path";
import {
  type AuditedImage,
  auditPaths,
  type MapsImage,
  readAuditedImages,
  readAuditSummary,
  readMapsImages,
  readMapsInfo,
} from "armseg/runs";
import { disagreementOf, type LoadedSet, type SetImage } from "./map-set.ts";

/** Reads a folder of maps. @param run - The id of the run that it lies in, if it does. */
export async function loadMaps(id: string, folder: string, run: string | null): Promise<LoadedSet> {
  const info = readMapsInfo(folder);
  const images: SetImage[] = [];
  for await (const image of readMapsImages(folder)) images.push(mapsImage(image));
  const what = info.split === null ? "predictions" : `${info.split} split`;
  return {
    folder,
    images,
    info: {
      id,
      title: `${info.run}, ${what}${info.iteration === null ? "" : `, iteration ${info.iteration}`}`,
      kind: "maps",
      run,
      iteration: info.iteration,
      split: info.split,
      classes: info.classes,
      hasLabels: images.some(({ planes }) => planes.label),
      remedy: id.endsWith("/samples")
        ? `npx armseg eval ${dirname(dirname(folder))} --maps   # the whole split instead of a few samples`
        : null,
    },
  };
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
    disagreement: counts && disagreementOf(counts),
    quality: null,
  };
}

/** Reads the images of an audit; `null` where there is none, or it is not complete. */
export async function loadAudit(run: string, folder: string): Promise<LoadedSet | null> {
  const paths = auditPaths(folder);
  if (!existsSync(paths.summary)) return null;
  const summary = readAuditSummary(paths.summary);
  const images: SetImage[] = [];
  for await (const image of readAuditedImages(paths.images)) images.push(auditedImage(image));
  const withPlanes = images.some(({ planes }) => planes.prediction);
  return {
    folder,
    images,
    info: {
      id: `${run}/audit`,
      title: `${run}, audit of the ${summary.split} split`,
      kind: "audit",
      run,
      iteration: null,
      split: summary.split,
      classes: summary.classes.map(({ name, color }) => ({ name, color })),
      hasLabels: withPlanes,
      remedy: withPlanes ? null : `npx armseg audit ${folder}   # without --no-planes`,
    },
  };
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
    disagreement: labelled > 0 ? disagreeing / labelled : null,
    quality,
  };
}
