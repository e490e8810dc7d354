import { relative } from "node:path";

/** A path as one would type it here: from the folder that Studio was started in where it lies below it, quoted where a shell needs it. */
export function shownPath(path: string): string {
  const way = relative(process.cwd(), path);
  const shown = way !== "" && !way.startsWith("..") ? way : path;
  return /^[\w./:@+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
