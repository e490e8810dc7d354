import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Returns the folder where armseg keeps what can be made or fetched again: builds, libtorch, pretrained weights, measurements.
 *
 * `ARMSEG_CACHE`, or `armseg` in the user's cache: `XDG_CACHE_HOME`, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows, else
 * `~/.cache`.
 */
export function cacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { ARMSEG_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (ARMSEG_CACHE) return ARMSEG_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "armseg");
  if (platform === "win32" && LOCALAPPDATA) return join(LOCALAPPDATA, "armseg", "cache");
  return join(homedir(), platform === "darwin" ? "Library/Caches" : ".cache", "armseg");
}
