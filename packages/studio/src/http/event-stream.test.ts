import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { EventStreams } from "./event-stream.ts";

test("a page that left before its stream began is not counted, one that leaves later no longer", () => {
  using events = new EventStreams();
  const [gone, here] = [1, 2].map(() => new ServerResponse(new IncomingMessage(new Socket())));
  gone!.destroy();
  events.add(gone!, []);
  expect(events.count).toBe(0);
  events.add(here!, []);
  expect(events.count).toBe(1);
  here!.emit("close");
  expect(events.count).toBe(0);
});
