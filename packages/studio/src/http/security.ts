import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** 192 random bits, fit for an address. */
export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * Nothing from elsewhere, nothing inline, in no frame; planes are read as bytes, thumbnails as images of ours. WebAssembly and blobs
 * are for a model that somebody drops onto the page.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** The hosts under which a browser on this machine reaches the server; others are a name that was bent to loopback (DNS rebinding). */
export function ownHosts(port: number): readonly string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}

/**
 * Returns why a request is refused, or `null`.
 *
 * @param path - The decoded path's first part must be the token.
 */
export function refusal(request: IncomingMessage, token: string, port: number): string | null {
  const { host, origin } = request.headers;
  if (!host || !ownHosts(port).includes(host)) return "this server answers to its own address alone";
  if (origin !== undefined && origin !== `http://${host}`) return "this server answers to its own page alone";
  // What writes must come from a page that says where it is from, and that page must be ours.
  if (request.method === "POST" && origin === undefined) return "a request that writes must name its origin";
  return hasToken(request.url ?? "", token)
    ? null
    : "the address lacks its token; use the one that armseg studio printed";
}

function hasToken(url: string, token: string): boolean {
  const given = Buffer.from(/^\/([^/?#]*)/.exec(url)?.[1] ?? "");
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
