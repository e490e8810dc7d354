import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import { IGNORED_NAME } from "../formats/named-labels.ts";
import type { ClassInfo, LabelMap } from "../sample.ts";

/**
 * A label map from names as a configuration writes them: value, colour or name to the name of a class, or to `ignore`.
 *
 * Colours may be written `r,g,b` with spaces or as `#rrggbb`.
 *
 * @throws {DataError} If a name is no class, or a key no value or colour.
 */
export function labelMapOf(
  encoding: LabelMap["encoding"],
  map: Readonly<Record<string, string>>,
  classes: readonly ClassInfo[],
): LabelMap {
  const index = new Map([
    ...classes.map(({ name }, i) => [name, i] as const),
    [IGNORED_NAME, IGNORE_INDEX] as const,
  ]);
  const entries = Object.entries(map).map(([key, name]) => {
    const label = index.get(name);
    if (label === undefined)
      throw new DataError(
        `labels.map sends ${key} to "${name}", expected one of ${[...index.keys()].join(", ")}`,
        "labels.map",
      );
    return [normalKey(encoding, key), label] as const;
  });
  const twice = entries.findIndex(([key], i) => entries.some(([other], j) => j < i && other === key));
  if (twice >= 0)
    throw new DataError(
      `labels.map has "${Object.keys(map)[twice]}", which is there already in another spelling; remove one`,
      "labels.map",
    );
  return { encoding, classes: Object.fromEntries(entries) };
}

function normalKey(encoding: LabelMap["encoding"], key: string): string {
  if (encoding === "names") return key;
  if (encoding === "values" && /^\d{1,5}$/.test(key.trim())) return String(Number(key));
  const hex = /^#([0-9a-f]{6})$/i.exec(key.trim())?.[1];
  const parts = hex
    ? [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))
    : key.split(",").map((part) => Number(part.trim() || Number.NaN));
  if (
    encoding === "colors" &&
    parts.length === 3 &&
    parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)
  )
    return parts.join(",");
  throw new DataError(
    `labels.map has the key "${key}", expected ${encoding === "values" ? "a value such as 7" : 'a colour such as "128,64,128"'}`,
    "labels.map",
  );
}
