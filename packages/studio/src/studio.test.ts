import fs from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { auditPaths, readVerdicts, runPaths } from "armseg/runs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { CurveState, ImagePage, MapSet, Review, RunDetail, RunSummary } from "./api.ts";
import { RunStore } from "./runs/run-store.ts";
import { type Studio, startStudio } from "./studio.ts";
import {
  CLASSES,
  confusionOf,
  makeAudit,
  makeMaps,
  makeRun,
  planesOf,
  SIZE,
  temporaryFolder,
  writePng,
} from "./testing/made-up-folders.ts";

const root = temporaryFolder();
const runs = join(root, "runs");
const data = join(root, "data");
const elsewhere = join(root, "elsewhere");
/** Names that would break a page or a path. */
const HOSTILE = ["<img src=x onerror=alert(1)>", "../../escape", "naïve 日本 #?&%", "plain"];
let studio: Studio;

beforeAll(async () => {
  makeRun(join(runs, "first"), { data });
  makeRun(join(runs, "seeds/a"), { data, seed: 1 });
  makeRun(join(runs, "seeds/b"), { data, seed: 2, done: 60 });
  makeRun(join(runs, "plain"), { data, curve: "none" });
  await makeMaps(join(runPaths(join(runs, "first")).maps, "val-00000100"), data, HOSTILE);
  await makeAudit(join(runs, "first"), data);
  await makeMaps(join(runs, "predictions"), data, ["photo"]);
  await writePng(join(elsewhere, "secret.png"), planesOf(9).image);
  studio = await startStudio({ folders: [runs], lookEveryMs: 30, port: 0 });
});
afterAll(async () => {
  await studio?.[Symbol.asyncDispose]();
  fs.rmSync(root, { recursive: true });
});

function address(path: string, query: Readonly<Record<string, string | number>> = {}): URL {
  const url = new URL(`api/${path}`, studio.url);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  return url;
}

async function get<T>(path: string, query?: Readonly<Record<string, string | number>>): Promise<T> {
  const response = await fetch(address(path, query));
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${(body as { error: string }).error}`);
  return body as T;
}

/** Follows what the server tells on its own; `until` reads on to the first text that holds a part, and returns all text so far. */
async function follow(): Promise<AsyncDisposable & { until(part: string): Promise<string> }> {
  const control = new AbortController();
  const events = await fetch(address("events"), { signal: control.signal });
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async until(part) {
      while (!text.includes(part)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended without ${part}: ${text}`);
        text += value;
      }
      return text;
    },
    [Symbol.asyncDispose]: async () => control.abort(),
  };
}

/** The runs as a new page is told them. */
async function allRuns(): Promise<RunSummary[]> {
  await using events = await follow();
  const text = await events.until("}]\n\n");
  return JSON.parse(/^event: all\ndata: (.*)$/m.exec(text)![1]!) as RunSummary[];
}

async function pixels(
  set: string,
  image: number,
  plane: string,
): Promise<{ head: number[]; data: Uint8Array }> {
  const response = await fetch(address("pixels", { set, image, plane }));
  if (!response.ok)
    throw new Error(`${response.status}: ${((await response.json()) as { error: string }).error}`);
  const buffer = await response.arrayBuffer();
  return { head: [...new Uint32Array(buffer.slice(0, 12))], data: new Uint8Array(buffer, 12) };
}

const SET = "runs/first/maps/val-00000100";

describe("who is answered", () => {
  /** The status of a request with headers that `fetch` would not let us set. */
  function status(path: string, headers: Readonly<Record<string, string>>, method = "GET"): Promise<number> {
    const { port } = new URL(studio.url);
    return new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, headers, method }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
        .on("error", reject)
        .end();
    });
  }
  const own = () => new URL(studio.url);

  test("its own address alone, under its own names", async () => {
    const { host, port, pathname } = own();
    expect(await status(pathname, { host })).toBe(200);
    expect(await status(pathname, { host: `localhost:${port}` })).toBe(200);
    expect(await status(pathname, { host: `evil.example:${port}` })).toBe(403);
    expect(await status(pathname, { host: "127.0.0.1" })).toBe(403);
  });

  test("nobody without the token, whatever is asked", async () => {
    const { host } = own();
    for (const path of ["/", "/api/events", "/wrong/api/events", `/${"A".repeat(32)}/`, "//"])
      expect(await status(path, { host }), path).toBe(403);
  });

  test("no other page, and none that hides where it is from", async () => {
    const { host, pathname, origin } = own();
    const verdict = `${pathname}api/verdict`;
    expect(await status(`${pathname}api/events`, { host, origin: "http://evil.example" })).toBe(403);
    expect(await status(verdict, { host, origin: "null" }, "POST")).toBe(403);
    expect(await status(verdict, { host }, "POST")).toBe(403);
    expect(await status(verdict, { host, origin, "content-type": "text/plain" }, "POST")).toBe(415);
  });

  test("with a strict policy; only files of the page; no route by another method", async () => {
    const { host, pathname } = own();
    const response = await fetch(studio.url);
    expect(response.headers.get("content-security-policy")).toContain(
      "default-src 'none'; script-src 'self'",
    );
    expect(await response.text()).not.toMatch(/<script>|style=|https?:/);
    for (const path of [
      "..%2f..%2fpackage.json",
      "%2e%2e/%2e%2e/package.json",
      ".page-stamp",
      "web/package.json",
      "web/..%2fpackage.json",
      "api/",
      "api/constructor",
    ])
      expect(await status(`${pathname}${path}`, { host }), path).not.toBe(200);
    expect(await status(`${pathname}api/events`, { host }, "DELETE")).toBe(404);
  });
});

describe("runs", () => {
  test("the table: states, scores, repetitions in one group", async () => {
    const all = await allRuns();
    expect(all.map(({ id, state }) => [id, state])).toEqual([
      ["runs/first", "finished"],
      ["runs/plain", "finished"],
      ["runs/seeds/a", "finished"],
      ["runs/seeds/b", "stopped"],
    ]);
    const [first, plain, a, b] = all;
    expect(first).toMatchObject({
      iteration: 100,
      iterations: 100,
      mIoU: 0.4,
      loss: 0.09,
      seed: 0,
      hasAudit: true,
    });
    expect(a!.group).toBe(b!.group);
    expect(first!.group).toBe(a!.group);
    expect(plain!.group).not.toBe(first!.group);
  });

  test("a run: columns, classes without a figure, configuration by dotted key", async () => {
    const detail = await get<RunDetail>("run", { id: "runs/seeds/b" });
    expect(detail.train.iteration).toEqual([10, 20, 30, 40, 50, 60]);
    expect(detail.train.meanLoss[0]).toBeCloseTo(2.9, 12);
    expect(detail.evaluations[0]!.iou).toEqual([0.9, 0.25, null]);
    expect(detail.config).toMatchObject({ "reweighting.curve": "arm", "training.seed": "2" });
    expect((await get<RunDetail>("run", { id: "runs/first" })).confusion?.[0]).toEqual([90, 5, 5]);
  });

  test("the curve beside Hölder's optimum: p = 2, so the optimum has the shape of the losses", async () => {
    const curves = await get<CurveState[]>("curves", { id: "runs/first" });
    expect(curves).toHaveLength(10);
    const { optimum, meanLoss, correlation } = curves[0]!;
    const ratio = optimum!.map((weight, i) => weight! / meanLoss[i]!);
    for (const one of ratio) expect(one).toBeCloseTo(ratio[0]!, 10);
    expect(correlation).toBeGreaterThan(0.99);
  });

  test("a run that grows, one that comes, one that vanishes and one that is damaged are told to whoever listens", async () => {
    const folder = join(runs, "live");
    makeRun(folder, { done: 20 });
    await using first = await follow();
    await first.until('"id":"runs/live"');
    fs.appendFileSync(
      runPaths(folder).metrics,
      '{"kind":"train","iteration":30,"loss":1,"meanLoss":0.123,"learningRate":0.1}\n',
    );
    // A second page that asks just then takes nothing from the first.
    expect((await allRuns()).find(({ id }) => id === "runs/live")?.loss).toBe(0.123);
    await first.until('"loss":0.123');
    expect((await get<RunDetail>("run", { id: "runs/live" })).train.iteration).toEqual([10, 20, 30]);
    fs.appendFileSync(runPaths(folder).metrics, "no JSON\n");
    await first.until('"state":"damaged"');
    fs.rmSync(folder, { recursive: true });
    await first.until('"gone":["runs/live"]');
    await expect(get("run", { id: "runs/live" })).rejects.toThrow("404: there is no run runs/live");
  });

  test("a look at the folders that fails costs no page its stream", async () => {
    const looking = vi.spyOn(RunStore.prototype, "refresh").mockRejectedValue(new Error("it vanished"));
    try {
      expect((await allRuns()).map(({ id }) => id)).toContain("runs/first");
    } finally {
      looking.mockRestore();
    }
  });

  test("a run is not found by a path", async () => {
    for (const id of [join(runs, "first"), "first", "runs/../runs/first", "__proto__"])
      await expect(get("run", { id }), id).rejects.toThrow("404");
  });
});

describe("pixels", () => {
  test("sets of runs, of audits, and beside them", async () => {
    const sets = await get<MapSet[]>("sets");
    expect(sets.map(({ id, kind, images, run }) => [id, kind, images, run])).toEqual([
      [SET, "maps", 4, "runs/first"],
      ["runs/first/audit", "audit", 1, "runs/first"],
      ["runs/predictions", "maps", 1, null],
    ]);
  });

  test("every byte is the file's", async () => {
    for (const index of [0, 2]) {
      const planes = planesOf(index);
      for (const plane of ["image", "label", "prediction", "confidence"] as const) {
        const { head, data: bytes } = await pixels(SET, index, plane);
        expect(head).toEqual([SIZE[1], SIZE[0], plane === "image" ? 3 : 1]);
        expect(bytes).toEqual(planes[plane]);
      }
    }
    expect((await pixels("runs/first/audit", 0, "confidence")).data).toEqual(planesOf(0).confidence);
  });

  test("orders: the worst first; a cell has the images that are in it", async () => {
    const page = (query: object) => get<ImagePage>("images", { set: SET, ...query });
    const worst = await page({ order: "mIoU" });
    const scores = worst.rows.map(({ mIoU }) => mIoU!);
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    expect(worst.rows.find(({ index }) => index === 0)!.mIoU).toBeCloseTo(meanIoU(0), 12);
    const cell = await page({ order: "cell", label: 1, prediction: 0 });
    const wanted = HOSTILE.map(
      (_, i) => confusionOf(planesOf(i)).find(([y, p]) => y === 1 && p === 0)?.[2] ?? 0,
    );
    expect(Object.fromEntries(cell.rows.map(({ index, asked }) => [index, asked]))).toEqual(
      Object.fromEntries(wanted.flatMap((count, i) => (count > 0 ? [[i, count]] : []))),
    );
    expect((await page({ order: "name", text: "日本" })).rows.map(({ name }) => name)).toEqual([HOSTILE[2]]);
    expect((await page({ order: "name", offset: 3, limit: 5 })).rows).toHaveLength(1);
    const confusion = await get<number[][]>("confusion", { set: SET });
    expect(confusion.flat().reduce((sum, count) => sum + count)).toBe(4 * 720);
  });

  test("a thumbnail is a picture", async () => {
    const response = await fetch(address("thumbnail", { set: SET, image: 1 }));
    expect(response.headers.get("content-type")).toBe("image/webp");
    expect(Buffer.from(await response.arrayBuffer()).toString("latin1", 8, 12)).toBe("WEBP");
  });

  test("no file outside of the folders given: by path, by link, by a way up", async () => {
    const folder = join(runs, "hostile");
    await makeMaps(folder, data, ["a", "b", "c"]);
    fs.symlinkSync(join(elsewhere, "secret.png"), join(folder, "planes/link.png"));
    const list = join(folder, "images.jsonl");
    const lines = fs
      .readFileSync(list, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    lines[0].imageFile = join(elsewhere, "secret.png");
    lines[1].planes.prediction = "planes/link.png";
    lines[2].planes.prediction = "../../data/0.png";
    fs.writeFileSync(list, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await allRuns();
    const outside = /403: .* lies outside of the folders that Studio was given/;
    await expect(pixels("runs/hostile", 0, "image")).rejects.toThrow(outside);
    await expect(pixels("runs/hostile", 1, "prediction")).rejects.toThrow(outside);
    // It lies in a folder that is given, and yet not in the maps' own.
    await expect(pixels("runs/hostile", 2, "prediction")).rejects.toThrow("403");
    fs.symlinkSync(elsewhere, join(runs, "linked"));
    expect((await allRuns()).some(({ id }) => id.includes("linked"))).toBe(false);
    await expect(pixels(SET, 99, "image")).rejects.toThrow("404: runs/first/maps/val-00000100 has 4 images");
    await expect(pixels(SET, 0, "config.yaml")).rejects.toThrow("400");
  });

  test("a configuration that names the whole disk as its data opens nothing", async () => {
    makeRun(join(runs, "greedy"), { data: "/" });
    await makeMaps(join(runs, "greedy", "maps", "val"), data, ["a"]);
    const list = join(runs, "greedy", "maps", "val", "images.jsonl");
    const line = JSON.parse(fs.readFileSync(list, "utf8"));
    fs.writeFileSync(list, `${JSON.stringify({ ...line, imageFile: join(elsewhere, "secret.png") })}\n`);
    await allRuns();
    await expect(pixels("runs/greedy/maps/val", 0, "image")).rejects.toThrow("403");
    fs.rmSync(join(runs, "greedy"), { recursive: true });
  });
});

describe("review", () => {
  const verdictsOf = async () => {
    const all = [];
    for await (const verdict of readVerdicts(auditPaths(join(runs, "first")).verdicts)) all.push(verdict);
    return all;
  };
  async function give(body: object): Promise<{ status: number; error?: string }> {
    const response = await fetch(address("verdict"), {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: new URL(studio.url).origin },
      body: JSON.stringify({ run: "runs/first", ...body }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  test("a verdict is on the disk when it is answered, with the label's file and hash from the audit", async () => {
    const review = await get<Review>("review", { run: "runs/first" });
    expect(review.regions.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["audited#1", null],
      ["audited#2", null],
      ["audited#3", null],
    ]);
    expect(review.classes).toEqual(CLASSES);
    const painted = [{ class: 2, mask: { top: 0, left: 0, height: 1, width: 3, runs: [1, 2] } }];
    expect(
      (await give({ region: "audited#1", verdict: "prediction", labelFile: "/etc/passwd" })).status,
    ).toBe(200);
    expect((await give({ region: "audited#2", verdict: "painted", painted })).status).toBe(200);
    const [first, second] = await verdictsOf();
    expect(first).toMatchObject({
      image: "audited",
      region: "audited#1",
      verdict: "prediction",
      class: 1,
      labelFile: join(data, "labels", "audited.png"),
      by: "studio",
    });
    expect(second).toMatchObject({ verdict: "painted", painted });
    const after = await get<Review>("review", { run: "runs/first" });
    expect(after.regions.map(({ verdict }) => verdict)).toEqual(["prediction", "painted", null]);
    expect(after.command).toContain("armseg correct");
  });

  test("an undone verdict leaves the one before it", async () => {
    const verdicts = async () => {
      const { regions } = await get<Review>("review", { run: "runs/first" });
      return regions.map(({ verdict }) => verdict);
    };
    expect((await give({ region: "audited#2", verdict: "keep" })).status).toBe(200);
    expect(await verdicts()).toEqual(["prediction", "keep", null]);
    expect((await give({ region: "audited#2", verdict: "undo" })).status).toBe(200);
    expect(await verdicts()).toEqual(["prediction", "painted", null]);
  });

  test("what is no verdict is not written", async () => {
    const before = (await verdictsOf()).length;
    const beyond = [{ class: 1, mask: { top: 20, left: 0, height: 9, width: 1, runs: [0, 9] } }];
    const wrong = [
      { region: "audited#9", verdict: "keep" },
      { region: "audited#1", verdict: "burn" },
      { region: "audited#1", verdict: "painted" },
      { region: "audited#1", verdict: "painted", painted: beyond },
      { region: "audited#1", verdict: 7 },
      { run: "runs/plain", region: "audited#1", verdict: "keep" },
    ];
    for (const body of wrong) expect([400, 404], JSON.stringify(body)).toContain((await give(body)).status);
    expect(await verdictsOf()).toHaveLength(before);
  });

  test("a link in the place of the verdicts' file is not followed", async () => {
    const { verdicts } = auditPaths(join(runs, "first"));
    const target = join(elsewhere, "target");
    fs.renameSync(verdicts, `${verdicts}.kept`);
    fs.writeFileSync(target, "");
    fs.symlinkSync(target, verdicts);
    expect((await give({ region: "audited#1", verdict: "keep" })).status).toBe(403);
    expect(fs.readFileSync(target, "utf8")).toBe("");
    fs.rmSync(verdicts);
    fs.renameSync(`${verdicts}.kept`, verdicts);
  });

  test("a run without an audit says how to make one", async () => {
    await expect(get("review", { run: "runs/plain" })).rejects.toThrow("npx armseg audit");
  });
});

test("a folder that is none, and a port that is taken, are named", async () => {
  await expect(startStudio({ folders: [join(root, "nowhere")] })).rejects.toThrow("nowhere, which is none");
  const port = Number(new URL(studio.url).port);
  await expect(startStudio({ folders: [runs], port })).rejects.toThrow(`port ${port}: it is taken`);
});

test("nothing of libtorch is loaded", () => {
  const { sharedObjects } = process.report!.getReport() as unknown as { sharedObjects: string[] };
  expect(sharedObjects.filter((path) => /libtorch/.test(path))).toEqual([]);
});

function meanIoU(index: number): number {
  const counts = confusionOf(planesOf(index));
  const ious = CLASSES.map((_, c) => {
    const sum = (is: (y: number, p: number) => boolean) =>
      counts.reduce((total, [y, p, n]) => total + (is(y, p) ? n : 0), 0);
    return sum((y, p) => y === c && p === c) / sum((y, p) => y === c || p === c);
  });
  return ious.reduce((total, iou) => total + iou, 0) / ious.length;
}
