import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname } from "node:path";
import { TYPES } from "./assets.ts";
import { SECURITY_HEADERS } from "./security.ts";

/** An error that is the request's: its text is shown to the user. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Sends a whole answer. */
export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "Cache-Control": "no-store",
    ...SECURITY_HEADERS,
    ...headers,
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** Sends a file of ours as it is read. */
export function sendFile(response: ServerResponse, path: string): void {
  response.writeHead(200, {
    "Cache-Control": "private, max-age=31536000",
    ...SECURITY_HEADERS,
    "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
    "Content-Length": statSync(path).size,
  });
  createReadStream(path)
    .on("error", () => response.destroy())
    .pipe(response);
}

/** Sends JSON; numbers that are not finite become `null`. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(value));
}

/** Sends an error as the page shows it. */
export function sendError(response: ServerResponse, error: unknown): void {
  const status = error instanceof RequestError ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  if (response.headersSent) response.destroy();
  else sendJson(response, { error: message }, status);
}

/** Reads the JSON that a request carries. @throws {RequestError} If it is too long, of another type, or no JSON. */
export async function readJson(request: IncomingMessage, limitBytes = 1 << 23): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
    throw new RequestError(415, "expected application/json");
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > limitBytes) throw new RequestError(413, `expected at most ${limitBytes} bytes`);
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    throw new RequestError(400, "expected JSON");
  }
}
