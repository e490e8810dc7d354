import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: Uint8Array;
  /** Its name holds a hash of its content. */
  readonly isImmutable: boolean;
}

/** Media types by ending of the name. */
export const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Reads the built page, by path below its folder with `/`. It is small, and what is not in this list is never served.
 *
 * @throws {Error} If it has not been built.
 */
export function readAssets(folder: string): ReadonlyMap<string, Asset> {
  if (!existsSync(join(folder, "index.html")))
    throw new Error(
      `readAssets(): expected the built page in ${folder}, found none; run npm run setup in the repository`,
    );
  const assets = new Map<string, Asset>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    const type = TYPES[extname(name)];
    if (!type || !statSync(path).isFile()) continue;
    const key = relative(folder, path).split(sep).join("/");
    assets.set(key, { type, body: readFileSync(path), isImmutable: key.startsWith("assets/") });
  }
  return assets;
}
