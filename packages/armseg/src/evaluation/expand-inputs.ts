import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";

/** Files that are taken for images where a folder or a pattern is given. */
const IMAGE_FILE = /\.(png|jpe?g|webp|tiff?|gif)$/i;

/** An image to predict. */
export interface InputImage {
  readonly path: string;
  /** Name of what is written for it: with the folders below the input, without suffix, unlike all other names. */
  readonly name: string;
}

/**
 * Returns the images that files, folders (with their sub-folders) and patterns name, in the order given, those of a folder by name; none twice.
 *
 * Patterns know `*`, `?`, `**` for any folders, `[abc]` and `{a,b}`; a file of that very name comes first.
 *
 * @throws {Error} If an input names no image, naming it.
 */
export async function expandInputs(inputs: readonly string[]): Promise<InputImage[]> {
  const found = new Map<string, string>();
  for (const input of inputs) {
    const images = await expandInput(input);
    if (images.length === 0)
      throw new Error(
        `expandInputs(): no image found for ${input}; expected PNG, JPEG, WebP, TIFF or GIF files.`,
      );
    for (const { path, name } of images) if (!found.has(resolve(path))) found.set(resolve(path), name);
  }
  return withDistinctNames([...found].map(([path, name]) => ({ path, name })));
}

async function expandInput(input: string): Promise<InputImage[]> {
  const status: Stats | undefined = await stat(input).catch(() => undefined);
  if (status?.isDirectory()) return named(await imagesOf("**", input), input);
  if (status) return named([input], dirname(input));
  if (!isDynamicPattern(input)) throw new Error(`expandInputs(): ${input} does not exist.`);
  const base = fixedFolder(input);
  return named(await imagesOf(relative(base, input).split(sep).join("/"), base), base);
}

/** Returns the images below a folder that a pattern names, sorted; without hidden files and folders. */
async function imagesOf(pattern: string, folder: string): Promise<string[]> {
  const files = await glob(pattern, { cwd: folder, expandDirectories: false });
  return files
    .filter((file) => IMAGE_FILE.test(file))
    .map((file) => join(folder, file))
    .sort();
}

/** Returns the folders of a pattern before its first special character. */
function fixedFolder(pattern: string): string {
  const parts = pattern.split("/");
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => isDynamicPattern(part)),
  );
  return fixed.length === 0 ? "." : fixed.join("/") || "/";
}

function named(paths: readonly string[], base: string): InputImage[] {
  return paths.map((path) => ({ path, name: withoutSuffix(relative(base, path)).split(sep).join("/") }));
}

function withoutSuffix(path: string): string {
  return path.replace(/\.[^./\\]+$/, "");
}

/** Names that several images share are told apart by the suffix, then by a number. */
function withDistinctNames(images: readonly InputImage[]): InputImage[] {
  const shared = new Map<string, number>();
  for (const { name } of images) shared.set(name, (shared.get(name) ?? 0) + 1);
  const taken = new Set<string>();
  return images.map(({ path, name }) => {
    const suffix = basename(path).split(".").at(-1);
    const wanted = shared.get(name) === 1 ? name : `${name}_${suffix}`;
    let free = wanted;
    for (let n = 2; taken.has(free); n++) free = `${wanted}_${n}`;
    taken.add(free);
    return { path, name: free };
  });
}
