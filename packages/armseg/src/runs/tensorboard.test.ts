import fs from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { TensorBoardWriter } from "./tensorboard.ts";
import { decodeEventFile, shownEvents } from "./testing/event-file.ts";
import { temporaryFolder } from "./testing/folders.ts";

const now = () => 1_700_000_000_500;

test("a file has TensorBoard's name and begins with the format's version", () => {
  const folder = temporaryFolder();
  using writer = new TensorBoardWriter(folder, { now });
  writer.write(3, [{ tag: "loss", scalar: 0.5 }]);
  writer.write(4, []);
  expect(basename(writer.path)).toMatch(/^events\.out\.tfevents\.1700000000\.[^/]+\.\d+\.0$/);
  expect(decodeEventFile(writer.path)).toEqual([
    { step: 0, fileVersion: "brain.Event:2", values: {} },
    { step: 3, values: { loss: 0.5 } },
  ]);
});

test("a resumed run's files together show each iteration once, as an undisturbed run", () => {
  const folder = temporaryFolder();
  const write = (from: number, to: number, options: { resumeAt?: number }) => {
    // The same second each time: the names must sort in the order of writing all the same.
    using writer = new TensorBoardWriter(folder, { now, ...options });
    for (let i = from; i <= to; i++) writer.write(i, [{ tag: "loss", scalar: i }]);
    return writer.path;
  };
  const torn = write(1, 9, {});
  fs.truncateSync(torn, fs.statSync(torn).size - 5);
  write(5, 7, { resumeAt: 4 });
  write(7, 12, { resumeAt: 6 });
  const expected = Array.from({ length: 12 }, (_, i) => ({ step: i + 1, values: { loss: i + 1 } }));
  expect(shownEvents(folder)).toEqual(expected);
  expect(fs.readdirSync(folder)).toHaveLength(3);
});

test("files of other programs do not disturb the choice of the name", () => {
  const folder = temporaryFolder();
  fs.writeFileSync(join(folder, "notes.txt"), "");
  new TensorBoardWriter(folder, { now })[Symbol.dispose]();
  expect(fs.readdirSync(folder).some((name) => name.includes(".1700000000."))).toBe(true);
});
