import type { IncomingMessage, ServerResponse } from "node:http";
import type { ImageOrder, NewVerdict, Plane } from "./api.ts";
import type { GivenFolders } from "./given-folders.ts";
import { RequestError, readJson, send, sendJson } from "./http/answers.ts";
import type { EventStreams } from "./http/event-stream.ts";
import { imagePage, totalConfusion } from "./pixels/map-set.ts";
import type { MapStore } from "./pixels/map-store.ts";
import { imageAt, packPixels, readPixels } from "./pixels/read-plane.ts";
import { thumbnail } from "./pixels/thumbnail.ts";
import type { ReviewStore } from "./review/review-store.ts";
import { curveStates, runDetail } from "./runs/run-detail.ts";
import type { RunStore } from "./runs/run-store.ts";

/** What the routes answer from. */
export interface StudioParts {
  readonly folders: GivenFolders;
  readonly runs: RunStore;
  readonly maps: MapStore;
  readonly review: ReviewStore;
  readonly events: EventStreams;
}

/** Looks at the folders anew, and tells the open pages what changed. Never fails: what vanishes while it is read is seen at the next look. */
export async function tellChanges({ runs, events }: StudioParts): Promise<void> {
  const { changed, gone } = await runs.refresh().catch(() => ({ changed: [], gone: [] }));
  if (changed.length + gone.length > 0) events.tell("runs", { changed, gone });
}

type Route = (
  parts: StudioParts,
  query: URLSearchParams,
  response: ServerResponse,
  request: IncomingMessage,
) => Promise<void> | void;

const PLANES: readonly Plane[] = ["image", "label", "prediction", "confidence"];
const ORDERS: readonly ImageOrder[] = ["name", "mIoU", "disagreement", "audit", "class", "cell"];
const MOST_ROWS = 200;

/** By method and path below `api/`. Ids are looked up among what was found; no path comes from a request. */
export const ROUTES: Readonly<Record<string, Route>> = {
  "GET run": async ({ runs }, query, response) =>
    sendJson(response, runDetail(await runs.open(text(query, "id")))),
  "GET curves": async ({ runs }, query, response) =>
    sendJson(response, curveStates((await runs.open(text(query, "id"))).log.curves)),
  "GET events": async (parts, _, response) => {
    await tellChanges(parts);
    parts.events.add(response, parts.runs.summaries());
  },
  "GET sets": async ({ maps }, query, response) =>
    sendJson(response, await maps.list(query.get("run") ?? undefined)),
  "GET confusion": async ({ maps }, query, response) => {
    const { images, info } = await maps.get(text(query, "set"));
    sendJson(response, totalConfusion(images, info.classes));
  },
  "GET images": async ({ maps }, query, response) => {
    const { images } = await maps.get(text(query, "set"));
    sendJson(
      response,
      imagePage(images, {
        order: oneOf(query, "order", ORDERS),
        class: whole(query, "class", 0),
        cell: [whole(query, "label", 0), whole(query, "prediction", 0)],
        text: query.get("text") ?? "",
        offset: whole(query, "offset", 0),
        limit: Math.min(whole(query, "limit", 60), MOST_ROWS),
      }),
    );
  },
  "GET pixels": async ({ maps, folders }, query, response) => {
    const set = await maps.get(text(query, "set"));
    const image = imageAt(set, whole(query, "image"));
    const pixels = await readPixels(set, image, oneOf(query, "plane", PLANES), folders);
    send(response, 200, "application/octet-stream", packPixels(pixels));
  },
  "GET thumbnail": async ({ maps, folders }, query, response) => {
    const set = await maps.get(text(query, "set"));
    const body = await thumbnail(set, imageAt(set, whole(query, "image")), folders);
    send(response, 200, "image/webp", body, { "Cache-Control": "private, max-age=300" });
  },
  "GET review": async ({ review }, query, response) =>
    sendJson(response, await review.get(text(query, "run"))),
  "POST verdict": async ({ review, events }, _, response, request) => {
    const given = newVerdict(await readJson(request));
    const verdict = await review.add(given);
    events.tell("verdict", { run: given.run, region: given.region, verdict });
    sendJson(response, { saved: true });
  },
};

function text(query: URLSearchParams, key: string): string {
  const value = query.get(key);
  if (value === null || value === "") throw new RequestError(400, `expected ${key}`);
  return value;
}

function whole(query: URLSearchParams, key: string, otherwise?: number): number {
  const given = query.get(key);
  if (given === null && otherwise !== undefined) return otherwise;
  const value = Number(given);
  if (given && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RequestError(400, `expected ${key} to be a whole number, got ${given}`);
}

function oneOf<T extends string>(query: URLSearchParams, key: string, values: readonly T[]): T {
  const value = values.find((known) => known === query.get(key));
  if (value) return value;
  throw new RequestError(400, `expected ${key} to be one of ${values.join(", ")}, got ${query.get(key)}`);
}

function newVerdict(value: unknown): NewVerdict {
  const { run, region, verdict } = (value ?? {}) as Partial<NewVerdict>;
  if ([run, region, verdict].every((part) => typeof part === "string")) return value as NewVerdict;
  throw new RequestError(400, "expected run, region and verdict");
}
