import { useEffect, useState } from "preact/hooks";
import type { ImageRow } from "../../src/api.ts";
import { getPixels } from "../core/server.ts";
import type { Planes } from "./compositor.ts";

/** The planes of an image, or why there are none; of those that are missing, the reason. */
export interface LoadedPlanes {
  readonly planes: Planes | null;
  readonly problem: string | null;
  /** Which image they are of. */
  readonly key: string;
}

/** Decoded images that are kept, newest last: those around the one that is looked at. */
const cache = new Map<string, Promise<LoadedPlanes>>();
const MOST_BYTES = 96 * 2 ** 20;
const sizes = new Map<string, number>();

function load(set: string, row: ImageRow): Promise<LoadedPlanes> {
  const key = `${set} ${row.index} ${row.name}`;
  const known = cache.get(key) ?? read(set, row, key);
  cache.delete(key);
  cache.set(key, known);
  sizes.set(key, 6 * row.size[0] * row.size[1]);
  let bytes = [...cache.keys()].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  for (const oldest of cache.keys()) {
    if (bytes <= MOST_BYTES || oldest === key) break;
    bytes -= sizes.get(oldest) ?? 0;
    cache.delete(oldest);
    sizes.delete(oldest);
  }
  return known;
}

async function read(set: string, row: ImageRow, key: string): Promise<LoadedPlanes> {
  const problems: string[] = [];
  const plane = (name: "image" | "label" | "prediction" | "confidence") =>
    row.planes.includes(name)
      ? getPixels(set, row.index, name).catch((error: Error) => {
          problems.push(error.message);
          return null;
        })
      : null;
  const [image, label, prediction, confidence] = await Promise.all([
    plane("image"),
    plane("label"),
    plane("prediction"),
    plane("confidence"),
  ]);
  // An image of another size cannot lie under its planes.
  const fits = image && image.height === row.size[0] && image.width === row.size[1];
  if (image && !fits)
    problems.push(
      `the image is ${image.height}×${image.width}, its planes ${row.size.join("×")}: it was replaced`,
    );
  if (problems.length > 0) cache.delete(key);
  return {
    key,
    problem: problems[0] ?? null,
    planes: {
      size: row.size,
      image: fits ? image : null,
      label,
      prediction,
      confidence,
      isLikelihood: set.endsWith("/audit"),
    },
  };
}

/** Returns the planes of an image of a set; those of the image before stay until they are there. */
export function usePlanes(
  set: string | null,
  row: ImageRow | null,
  next: ImageRow | null = null,
): LoadedPlanes | null {
  const [loaded, setLoaded] = useState<LoadedPlanes | null>(null);
  useEffect(() => {
    if (set === null || row === null) {
      setLoaded(null);
      return;
    }
    let isCurrent = true;
    load(set, row).then((found) => {
      if (!isCurrent) return;
      setLoaded(found);
      // So that the next key shows its image at once.
      if (next) load(set, next);
    });
    return () => {
      isCurrent = false;
    };
  }, [set, row?.index, row?.name]);
  return loaded;
}
