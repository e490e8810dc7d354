import type { NewVerdict, Plane, RunSummary, StudioEvents } from "../../src/api.ts";
import { Store } from "./store.ts";

/** Whether the server answers. */
export const isConnected = new Store(true);
/** Null until the first answer. */
export const runs = new Store<readonly RunSummary[] | null>(null);
/** The last verdict that any tab gave. */
export const lastVerdict = new Store<StudioEvents["verdict"] | null>(null);

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Returns the address of something that the server gives. */
export function addressOf(path: string, query: Query = {}): string {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value));
  return url.href;
}

/** Asks the server. @throws {Error} With the server's own words. */
export async function getJson<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await ask(path, query, signal ? { signal } : {})).json() as Promise<T>;
}

async function ask(path: string, query: Query | undefined, init: RequestInit): Promise<Response> {
  const response = await fetch(addressOf(path, query), init).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === "AbortError")) isConnected.value = false;
    throw error;
  });
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Error(error ?? `the server answered ${response.status}`);
}

/** Bytes of a picture as the server has read them: three a pixel of an image, one of a plane. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Returns an image of a set, or one of its planes. */
export async function getPixels(
  set: string,
  image: number,
  plane: Plane,
  signal?: AbortSignal,
): Promise<Pixels> {
  const response = await ask("pixels", { set, image, plane }, signal ? { signal } : {});
  const buffer = await response.arrayBuffer();
  const head = new DataView(buffer);
  return {
    width: head.getUint32(0, true),
    height: head.getUint32(4, true),
    channels: head.getUint32(8, true),
    data: new Uint8Array(buffer, 12),
  };
}

/** Sends a verdict; it is on the disk when this resolves. */
export async function postVerdict(verdict: NewVerdict): Promise<void> {
  await ask("verdict", undefined, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(verdict),
  });
}

/**
 * Keeps the runs as the server tells of them. A page that nobody sees lets go: a browser keeps six connections to
 * one server, and six forgotten tabs would leave none for the seventh.
 */
export function connect(): void {
  let source: EventSource | null = null;
  const follow = () => {
    const isSeen = document.visibilityState === "visible";
    if (isSeen) source ??= open();
    else {
      source?.close();
      source = null;
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

function open(): EventSource {
  const source = new EventSource(addressOf("events"));
  source.addEventListener("open", () => {
    isConnected.value = true;
  });
  source.addEventListener("error", () => {
    isConnected.value = false;
  });
  source.addEventListener("all", ({ data }) => {
    runs.value = JSON.parse(data) as StudioEvents["all"];
  });
  source.addEventListener("runs", ({ data }) => {
    const { changed, gone } = JSON.parse(data) as StudioEvents["runs"];
    const known = new Map((runs.value ?? []).map((run) => [run.id, run]));
    for (const id of gone) known.delete(id);
    for (const run of changed) known.set(run.id, run);
    runs.value = [...known.values()];
  });
  source.addEventListener("verdict", ({ data }) => {
    lastVerdict.value = JSON.parse(data) as StudioEvents["verdict"];
  });
  return source;
}
