import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { GivenFolders } from "./given-folders.ts";
import { RequestError, send, sendError, sendFile } from "./http/answers.ts";
import { type Asset, readAssets } from "./http/assets.ts";
import { EventStreams } from "./http/event-stream.ts";
import { newToken, refusal } from "./http/security.ts";
import { findWebFiles } from "./http/web-files.ts";
import { MapStore } from "./pixels/map-store.ts";
import { ReviewStore } from "./review/review-store.ts";
import { ROUTES, type StudioParts, tellChanges } from "./routes.ts";
import { RunStore } from "./runs/run-store.ts";

export interface StudioOptions {
  /** Folders that hold runs or maps, at any depth. */
  readonly folders: readonly string[];
  /** Folders of images beside those that the runs' configurations name. Default none. */
  readonly data?: readonly string[];
  /** 0 takes one that is free. Default: {@link USUAL_PORT}, or a free one where it is taken. */
  readonly port?: number;
  /** How often the folders are looked at while a page is open. Default 1000. */
  readonly lookEveryMs?: number;
}

/** A server that is running, until it is disposed. */
export interface Studio extends AsyncDisposable {
  /** With the token: whoever knows it sees what Studio shows. */
  readonly url: string;
  readonly runs: number;
}

/** The same each time, so that a browser's page finds what it kept for a server that was stopped. */
const USUAL_PORT = 4747;
const LOOK_EVERY_MS = 1000;
const PAGE = fileURLToPath(new URL("../dist/page", import.meta.url));

/**
 * Shows runs as a page on this machine: listens on the loopback interface alone, answers to its own page with its token alone,
 * and writes nothing but verdicts into the runs' `audit/`.
 *
 * @throws {Error} If a folder does not exist, the port is taken, or the page has not been built.
 */
export async function startStudio(options: StudioOptions): Promise<Studio> {
  const assets = readAssets(PAGE);
  const web = findWebFiles();
  const folders = new GivenFolders(options.folders, options.data);
  const runs = new RunStore(folders);
  const maps = new MapStore(runs, folders);
  const events = new EventStreams();
  const parts: StudioParts = { folders, runs, maps, review: new ReviewStore(runs, maps, folders), events };
  await runs.refresh();
  const token = newToken();
  const server = createServer((request, response) => {
    const port = (server.address() as AddressInfo | null)?.port ?? 0;
    answer(request, response, { parts, assets, web, token, port }).catch((error: unknown) =>
      sendError(response, error),
    );
  });
  const port =
    options.port === undefined
      ? await listen(server, USUAL_PORT).catch(() => listen(server, 0))
      : await listen(server, options.port);
  const looking = setInterval(() => {
    // Without a page nothing is read.
    if (events.count > 0) void tellChanges(parts);
  }, options.lookEveryMs ?? LOOK_EVERY_MS).unref();
  return {
    url: `http://127.0.0.1:${port}/${token}/`,
    runs: runs.summaries().length,
    [Symbol.asyncDispose]: () => {
      clearInterval(looking);
      events[Symbol.dispose]();
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.removeAllListeners("error").once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "it is taken; choose another with --port" : cause.message;
      reject(new Error(`studio: could not listen on port ${port}: ${reason}`, { cause }));
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

interface Served {
  readonly parts: StudioParts;
  readonly assets: ReadonlyMap<string, Asset>;
  /** Files of `armseg-web`, by path. */
  readonly web: ReadonlyMap<string, string> | null;
  readonly token: string;
  readonly port: number;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { parts, assets, web, token, port }: Served,
): Promise<void> {
  const refused = refusal(request, token, port);
  if (refused) throw new RequestError(403, refused);
  const { pathname, searchParams } = new URL(request.url!, "http://127.0.0.1");
  if (pathname !== `/${token}` && !pathname.startsWith(`/${token}/`))
    throw new RequestError(404, `there is no ${pathname}`);
  const path = pathname.slice(token.length + 2);
  if (path.startsWith("api/")) {
    const route = ROUTES[`${request.method} ${path.slice(4)}`];
    if (!route) throw new RequestError(404, `there is no ${request.method} ${path}`);
    await route(parts, searchParams, response, request);
    return;
  }
  // Without the last slash, what the page names would be sought beside it.
  if (pathname === `/${token}`) {
    send(response, 308, "text/plain", "", { Location: `/${token}/` });
    return;
  }
  const file = request.method === "GET" && path.startsWith("web/") ? web?.get(path.slice(4)) : undefined;
  if (file) {
    sendFile(response, file);
    return;
  }
  const asset = request.method === "GET" ? assets.get(path === "" ? "index.html" : path) : undefined;
  if (!asset) throw new RequestError(404, `there is no ${path}`);
  const caching = asset.isImmutable ? { "Cache-Control": "private, max-age=31536000, immutable" } : {};
  send(response, 200, asset.type, asset.body, caching);
}
