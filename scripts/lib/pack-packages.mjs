import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Packs all packages as `npm publish` would.
 *
 * @param {string} target - An existing folder for the tarballs.
 * @returns {{ name: string, tarball: string }[]}
 */
export function packPackages(target) {
  const args = ["pack", "--workspaces", "--json", "--loglevel=error", "--pack-destination", target];
  const output = execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  const packed = JSON.parse(output.slice(output.indexOf("[\n"))); // what a prepack script prints comes before
  return packed.map(({ name, filename }) => ({
    name,
    tarball: join(target, filename),
  }));
}
