import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { diskRemedy } from "../core/disk-error.ts";
import { ownIdentity, type ProcessIdentity, processState } from "./process-identity.ts";

/** Who holds a lock file; its content, as JSON. */
export interface LockHolder extends ProcessIdentity {
  /** ISO date at which the lock was taken. */
  readonly since: string;
  /** Random, so that a process deletes no lock but its own. */
  readonly token: string;
  /** Seconds between two touches of the file by its holder; absent in locks of older versions, which nobody touches. */
  readonly touchedEvery?: number;
}

/** A holder touches its lock this often, so that other hosts see that it lives. */
const TOUCH_SECONDS = 30;

/** A lock that was not touched for so long is that of a dead process, even with iterations of minutes. */
const DEAD_AFTER_MS = 15 * 60_000;

/** A lock without content is being written just now, on a file system without hard links; or it was left like that. */
const EMPTY_FOR_MS = 60_000;

/** A run folder's lock, held by this process until it is disposed. */
export class RunLock implements Disposable {
  readonly path: string;
  readonly #token: string;
  readonly #timer: NodeJS.Timeout;

  /** @internal Use {@link acquireRunLock}. */
  constructor(path: string, token: string) {
    this.path = path;
    this.#token = token;
    this.#timer = setInterval(() => touch(path), 1000 * TOUCH_SECONDS).unref();
  }

  /** Releases the lock; a second call, or one after the lock went to another process, does nothing. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (readHolder(this.path)?.token === this.#token) fs.rmSync(this.path, { force: true });
  }
}

/**
 * Takes a lock file, so that no two processes write into one run folder.
 *
 * The file is created exclusively, with its content, in one step. A lock whose process is gone (killed, or its number
 * reused, or the machine restarted) is taken over. A process of another host, or of another container, cannot be seen from
 * here; but it touches its lock, and is gone where it has not for a quarter of an hour.
 *
 * @throws If a living process holds the lock, or one that may be living.
 */
export function acquireRunLock(path: string): RunLock {
  const own: LockHolder = {
    ...ownIdentity(),
    since: new Date().toISOString(),
    token: randomBytes(8).toString("hex"),
    touchedEvery: TOUCH_SECONDS,
  };
  const draft = besideLock(path, "draft", own);
  try {
    writeDraft(draft, own);
    if (!createExclusively(draft, path)) takeOver(draft, path);
    return new RunLock(path, own.token);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function writeDraft(draft: string, own: LockHolder): void {
  try {
    fs.writeFileSync(draft, `${JSON.stringify(own, null, 2)}\n`, { flag: "wx" });
  } catch (cause) {
    throw new Error(
      `acquireRunLock(): expected a folder that can be written, got ${dirname(draft)}: ${(cause as Error).message}.${diskRemedy(cause)}`,
      { cause },
    );
  }
}

function touch(path: string): void {
  try {
    const now = new Date();
    fs.utimesSync(path, now, now);
  } catch {
    // The folder is gone, or read-only now: whatever writes next says so.
  }
}

/** A hard link appears at once and with its content: no reader ever sees a lock without its holder. */
function createExclusively(draft: string, path: string): boolean {
  try {
    linkOrCopy(draft, path);
    return true;
  } catch (error) {
    // ENOENT: the holder, who took the lock just now, cleaned up our draft.
    if (["EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

function linkOrCopy(draft: string, path: string): void {
  try {
    fs.linkSync(draft, path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    // File systems without hard links (exFAT, some network shares).
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
    fs.copyFileSync(draft, path, fs.constants.COPYFILE_EXCL);
  }
}

/**
 * Replaces a dead process's lock by our own, in one step.
 *
 * Several processes may find the same dead lock. A dead lock is only ever replaced by whoever holds the guard that is
 * named after it, so that nobody can replace the lock of one who was faster. The guard is a lock of the same kind: that
 * of a process killed right here is taken over in its turn.
 */
function takeOver(draft: string, path: string): void {
  const found = readLock(path);
  if (!found || !isDead(found)) throw inUse(path, found?.holder);
  using _guard = acquireRunLock(
    besideLock(path, "takeover", { pid: found.holder?.pid ?? 0, token: found.mark }),
  );
  const now = readLock(path);
  if (now?.mark !== found.mark) throw inUse(path, now?.holder);
  fs.renameSync(draft, path);
}

interface FoundLock {
  /** Undefined where the file holds none. */
  readonly holder: LockHolder | undefined;
  /** Tells this lock from any other at its path. */
  readonly mark: string;
  /** Since it was written or touched. */
  readonly ageMs: number;
}

function readLock(path: string): FoundLock | undefined {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const holder = readHolder(path);
  const mark = holder?.token ?? (Math.floor(stat.mtimeMs) % 2 ** 32).toString(16).padStart(8, "0");
  return { holder, mark, ageMs: Date.now() - stat.mtimeMs };
}

function isDead({ holder, ageMs }: FoundLock): boolean {
  if (!holder) return ageMs > EMPTY_FOR_MS;
  const state = processState(holder);
  return (
    state === "gone" || (state === "unknown" && holder.touchedEvery !== undefined && ageMs > DEAD_AFTER_MS)
  );
}

/** Named as a temporary file, so that what a kill leaves is cleaned up by the next run. */
function besideLock(
  path: string,
  purpose: string,
  { pid, token }: Pick<LockHolder, "pid" | "token">,
): string {
  return join(dirname(path), `.run.lock.${purpose}.armseg-${pid}-${token.slice(0, 8)}.tmp`);
}

function readHolder(path: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(fs.readFileSync(path, "utf8")) as LockHolder;
    return typeof holder.pid === "number" && typeof holder.token === "string" ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Tells whether a living process holds a lock, as far as can be seen from this host; takes nothing. */
export function isLocked(path: string): boolean {
  const holder = readHolder(path);
  return holder !== undefined && processState(holder) !== "gone";
}

function inUse(path: string, holder: LockHolder | undefined): Error {
  const who =
    holder === undefined
      ? "an unreadable lock"
      : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  const wait =
    holder === undefined ? " Such a lock is taken over once it is a minute old." : elsewhere(holder);
  return new Error(
    `acquireRunLock(): the run folder must not be in use, but ${path} belongs to ${who}. ` +
      `Wait for that run, stop it, or choose another folder; if you are certain that it is gone, delete this file.${wait}`,
  );
}

function elsewhere(holder: LockHolder): string {
  if (processState(holder) !== "unknown" || holder.touchedEvery === undefined) return "";
  const minutes = DEAD_AFTER_MS / 60_000;
  return ` Whether a process of another host or container lives cannot be seen from here; its lock is taken over once it has not been touched for ${minutes} minutes.`;
}
