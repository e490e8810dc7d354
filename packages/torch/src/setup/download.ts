import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvHttpProxyAgent, fetch, type Response } from "undici";

/** A file that cannot be had. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
  readonly code = "ERR_DOWNLOAD";
  /** Whether nobody answered at the address: no network, no such host, a proxy that refuses. */
  readonly isOffline: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly isOffline?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isOffline = options.isOffline ?? false;
  }
}

export interface DownloadOptions {
  readonly url: string;
  /** Where the file goes; what has come so far lies beside it, as `<file>.part`, and is continued. */
  readonly file: string;
  /** SHA-256 in hexadecimal digits: all 64 of them, or the first ones, at least 8. */
  readonly sha256: string;
  /** Told of the bytes that are there, and of all that will be where the server says so. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly signal?: AbortSignal;
}

/** A connection that breaks is taken up again where it ended. */
const ATTEMPTS = 4;
const WAIT_MS = 500;
/** Of silence. */
const TIMEOUT_MS = 60_000;
const SHORTEST_PREFIX = 8;

/**
 * Fetches a file over HTTP and keeps it only if its SHA-256 is right.
 *
 * Follows redirects (never from https to http), goes through the proxy of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, and continues what an
 * earlier call left. A file that is there already is not looked at: ask {@link verifyFile}.
 *
 * @returns The whole SHA-256.
 * @throws {DownloadError} If nobody answers, the server refuses, the connection breaks again and again, the disk is full, or the hash is
 *   another; of all but the last, the bytes that have come are kept.
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { file } = options;
  checkDigits(options.sha256);
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.part`;
  const agent = new EnvHttpProxyAgent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  try {
    for (let attempt = 1; !(await receive(options, part, agent)); attempt++) {
      if (attempt === ATTEMPTS) throw broken(options, part);
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * attempt));
    }
  } finally {
    await agent.close();
  }
  const found = await sha256Of(part);
  if (!found.startsWith(options.sha256.toLowerCase())) {
    await rm(part);
    throw wrongHash(options.url, options.sha256, found);
  }
  await rename(part, file);
  return found;
}

/**
 * Returns the SHA-256 of a file.
 *
 * @param sha256 - What it must be or begin with.
 * @throws {DownloadError} If it is another.
 */
export async function verifyFile(file: string, sha256: string): Promise<string> {
  checkDigits(sha256);
  const found = await sha256Of(file);
  if (found.startsWith(sha256.toLowerCase())) return found;
  throw wrongHash(file, sha256, found);
}

function checkDigits(sha256: string): void {
  if (/^[0-9a-f]+$/i.test(sha256) && sha256.length >= SHORTEST_PREFIX && sha256.length <= 64) return;
  throw new RangeError(
    `download(): expected ${SHORTEST_PREFIX} to 64 hexadecimal digits of a SHA-256, got "${sha256}"`,
  );
}

function wrongHash(source: string, expected: string, found: string): DownloadError {
  return new DownloadError(
    `${source}: expected SHA-256 ${expected.length < 64 ? `${expected}...` : expected}, got ${found}; the file is damaged or another one, and is not used`,
  );
}

function broken({ url }: DownloadOptions, part: string): DownloadError {
  return new DownloadError(
    `${url}: the connection broke ${ATTEMPTS} times; what has come is kept in ${part}, and the next try goes on from there`,
  );
}

/** Receives what is missing. @returns Whether the file is whole; `false` where the connection broke. */
async function receive(options: DownloadOptions, part: string, agent: EnvHttpProxyAgent): Promise<boolean> {
  const start = (await stat(part).catch(() => null))?.size ?? 0;
  const response = await ask(options, start, agent);
  if (response.status === 416) {
    // The part is as long as the file, or longer: its hash will tell, and a wrong part is removed then.
    await response.body?.cancel();
    return true;
  }
  const isContinued = response.status === 206;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const from = isContinued ? start : 0;
  const total = Number.isFinite(length) ? from + length : undefined;
  const handle = await open(part, isContinued ? "a" : "w");
  try {
    const received = await write(response, handle, from, total, options);
    await handle.sync();
    return total === undefined || received === total;
  } catch (error) {
    if (isFull(error)) throw full(part, total, error);
    options.signal?.throwIfAborted();
    if (error instanceof DownloadError) throw error;
    return false;
  } finally {
    await handle.close();
  }
}

async function write(
  { body }: Response,
  handle: FileHandle,
  from: number,
  total: number | undefined,
  { onProgress }: DownloadOptions,
): Promise<number> {
  let received = from;
  for await (const chunk of body ?? []) {
    await handle.writeFile(chunk as Uint8Array); // on a handle it goes on where the last one ended
    received += (chunk as Uint8Array).length;
    onProgress?.(received, total);
  }
  return received;
}

async function ask(
  { url, signal }: DownloadOptions,
  start: number,
  dispatcher: EnvHttpProxyAgent,
): Promise<Response> {
  const headers = { "accept-encoding": "identity", ...(start > 0 && { range: `bytes=${start}-` }) };
  let response: Response;
  try {
    response = await fetch(url, { headers, dispatcher, ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    const { code, message } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException;
    throw new DownloadError(`${url}: no answer (${code ?? message})`, { cause, isOffline: true });
  }
  const isRefused = !response.ok && response.status !== 416;
  const isDowngraded = url.startsWith("https:") && !response.url.startsWith("https:");
  if (!isRefused && !isDowngraded) return response;
  await response.body?.cancel();
  throw new DownloadError(
    isRefused
      ? `${url}: the server answers ${response.status} ${response.statusText}`.trimEnd()
      : `${url}: redirected to ${response.url}, which is not encrypted`,
  );
}

function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function full(part: string, total: number | undefined, cause: unknown): DownloadError {
  const size = total === undefined ? "" : ` for ${Math.ceil(total / 2 ** 20)} MiB`;
  return new DownloadError(
    `${part}: the disk is full, there is no room${size}; make some, or choose another disk with ARMSEG_CACHE=/path`,
    { cause },
  );
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
