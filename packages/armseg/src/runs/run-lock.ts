import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { ownIdentity, type ProcessIdentity, processState } from "./process-identity.ts";

/** Who holds a lock file; its content, as JSON. */
export interface LockHolder extends ProcessIdentity {
  /** ISO date at which the lock was taken. */
  readonly since: string;
  /** Random, so that a process deletes no lock but its own. */
  readonly token: string;
}

/** A run folder's lock, held by this process until it is disposed. */
export class RunLock implements Disposable {
  readonly path: string;
  readonly #token: string;

  /** @internal Use {@link acquireRunLock}. */
  constructor(path: string, token: string) {
    this.path = path;
    this.#token = token;
  }

  /** Releases the lock; a second call, or one after the lock went to another process, does nothing. */
  [Symbol.dispose](): void {
    if (readHolder(this.path)?.token === this.#token) fs.rmSync(this.path, { force: true });
  }
}

/**
 * Takes a lock file, so that no two processes write into one run folder.
 *
 * The file is created exclusively, with its content, in one step. A lock whose process is gone (killed, or its number
 * reused, or the machine restarted) is taken over.
 *
 * @throws If a living process holds the lock, or one of another host, which cannot be seen from here.
 */
export function acquireRunLock(path: string): RunLock {
  const own: LockHolder = {
    ...ownIdentity(),
    since: new Date().toISOString(),
    token: randomBytes(8).toString("hex"),
  };
  const draft = besideLock(path, "draft", own);
  fs.writeFileSync(draft, `${JSON.stringify(own, null, 2)}\n`, { flag: "wx" });
  try {
    if (!createExclusively(draft, path)) takeOver(draft, path);
    return new RunLock(path, own.token);
  } finally {
    fs.rmSync(draft, { force: true });
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
  const holder = readHolder(path);
  if (holder === undefined || processState(holder) !== "gone") throw inUse(path, holder);
  using _guard = acquireRunLock(besideLock(path, "takeover", holder));
  const now = readHolder(path);
  if (now?.token !== holder.token) throw inUse(path, now);
  fs.renameSync(draft, path);
}

/** Named as a temporary file, so that what a kill leaves is cleaned up by the next run. */
function besideLock(path: string, purpose: string, { pid, token }: LockHolder): string {
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

function inUse(path: string, holder: LockHolder | undefined): Error {
  const who =
    holder === undefined
      ? "an unreadable lock"
      : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  return new Error(
    `acquireRunLock(): the run folder must not be in use, but ${path} belongs to ${who}. ` +
      "Wait for that run, stop it, or choose another folder; if you are certain that it is gone, delete this file.",
  );
}
