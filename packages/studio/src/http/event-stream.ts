import type { ServerResponse } from "node:http";
import type { StudioEvents } from "../api.ts";
import { SECURITY_HEADERS } from "./security.ts";

const BEAT_MS = 15_000;

/** The open server-sent event streams, one a tab. */
export class EventStreams implements Disposable {
  readonly #open = new Set<ServerResponse>();
  /** Tells a dead connection from a quiet one. */
  readonly #beat = setInterval(() => this.#write(": still here\n\n"), BEAT_MS).unref();

  /** How many listen. */
  get count(): number {
    return this.#open.size;
  }

  /** Makes a response a stream that stays open, and begins with these runs; one whose page has left already is let go. */
  add(response: ServerResponse, all: StudioEvents["all"]): void {
    if (response.destroyed) return;
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      ...SECURITY_HEADERS,
    });
    response.write(`retry: 1000\n\n${eventText("all", all)}`);
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
  }

  /** Tells all tabs. */
  tell<K extends keyof StudioEvents>(event: K, data: StudioEvents[K]): void {
    this.#write(eventText(event, data));
  }

  #write(text: string): void {
    for (const response of this.#open) response.write(text);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
    for (const response of this.#open) response.end();
  }
}

function eventText<K extends keyof StudioEvents>(event: K, data: StudioEvents[K]): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
