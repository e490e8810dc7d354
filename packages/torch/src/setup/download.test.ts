import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fileServer, send } from "../testing/file-server.ts";
import { cacheFolder } from "./cache-folder.ts";
import { download, verifyFile } from "./download.ts";

const folder = mkdtempSync(join(tmpdir(), "download-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CONTENT = randomBytes(300_000);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

let count = 0;
let file: string;
beforeEach(() => {
  file = join(folder, `${++count}`, "weights.pth");
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

describe("download", () => {
  test("brings a file whole, says how far it is, and returns its hash", async () => {
    await using server = await fileServer((req, res) => send(CONTENT, req, res));
    const seen: (readonly [number, number | undefined])[] = [];
    const onProgress = (received: number, total: number | undefined) => void seen.push([received, total]);
    const found = await download({ url: `${server.url}/a`, file, sha256: SHA256.slice(0, 8), onProgress });
    expect(found).toBe(SHA256);
    expect(readFileSync(file).equals(CONTENT)).toBe(true);
    expect(existsSync(`${file}.part`)).toBe(false);
    expect(seen.at(-1)).toEqual([CONTENT.length, CONTENT.length]);
  });

  test("goes on where a broken connection ended, within a call and in the next one", async () => {
    let cuts = 1;
    await using server = await fileServer((req, res) => {
      if (cuts-- <= 0) return send(CONTENT, req, res);
      res.writeHead(200, { "content-length": CONTENT.length });
      res.write(CONTENT.subarray(0, 100_000), () => res.destroy());
    });
    await download({ url: server.url, file, sha256: SHA256 });
    expect(readFileSync(file).equals(CONTENT)).toBe(true);
    expect(server.requests).toHaveLength(2);

    const ranges: (string | undefined)[] = [];
    await using second = await fileServer((req, res) => {
      ranges.push(req.headers.range);
      send(CONTENT, req, res);
    });
    rmSync(file);
    writeFileSync(`${file}.part`, CONTENT.subarray(0, 123_456));
    await download({ url: second.url, file, sha256: SHA256 });
    expect(ranges).toEqual(["bytes=123456-"]);
    expect(readFileSync(file).equals(CONTENT)).toBe(true);
  });

  test("begins again where the server does not continue, and ends where nothing is missing", async () => {
    await using server = await fileServer((_, res) => void res.writeHead(200).end(CONTENT));
    for (const part of [CONTENT.subarray(0, 50), randomBytes(70)]) {
      await download({ url: server.url, file, sha256: SHA256 }).then(() => rmSync(file));
      writeFileSync(`${file}.part`, part);
    }
    await using ranged = await fileServer((req, res) => send(CONTENT, req, res));
    writeFileSync(`${file}.part`, CONTENT);
    expect(await download({ url: ranged.url, file, sha256: SHA256 })).toBe(SHA256);
  });

  test("a connection that breaks again and again is an error, and what has come is kept", async () => {
    await using server = await fileServer((_, res) => {
      res.writeHead(200, { "content-length": CONTENT.length });
      res.write(CONTENT.subarray(0, 1000), () => res.destroy());
    });
    await expect(download({ url: server.url, file, sha256: SHA256 })).rejects.toThrow(
      /the connection broke 4 times; what has come is kept in .*weights\.pth\.part/,
    );
    expect(existsSync(`${file}.part`)).toBe(true);
  });

  test("another hash is an error: neither the file nor a part of it stays", async () => {
    await using server = await fileServer((req, res) => send(CONTENT, req, res));
    const wrong = `${SHA256[0] === "0" ? "1" : "0"}${SHA256.slice(1)}`;
    await expect(download({ url: server.url, file, sha256: wrong })).rejects.toThrow(
      `expected SHA-256 ${wrong}, got ${SHA256}`,
    );
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
    await expect(download({ url: server.url, file, sha256: "abc" })).rejects.toThrow(RangeError);
  });

  test("follows redirects", async () => {
    await using target = await fileServer((req, res) => send(CONTENT, req, res));
    await using server = await fileServer((_, res) => {
      res.writeHead(302, { location: `${target.url}/there` }).end();
    });
    await download({ url: `${server.url}/here`, file, sha256: SHA256 });
    expect([server.requests, target.requests]).toEqual([["GET /here"], ["GET /there"]]);
  });

  test("names what the server answers, and where nobody does", async () => {
    await using server = await fileServer((_, res) => void res.writeHead(404).end("no"));
    await expect(download({ url: `${server.url}/gone`, file, sha256: SHA256 })).rejects.toMatchObject({
      message: expect.stringContaining("/gone: the server answers 404 Not Found"),
      isOffline: false,
    });
    const { url } = server;
    await server[Symbol.asyncDispose]();
    await expect(download({ url, file, sha256: SHA256 })).rejects.toMatchObject({
      code: "ERR_DOWNLOAD",
      message: `${url}: no answer (ECONNREFUSED)`,
      isOffline: true,
    });
  });

  test("goes through the proxy of the environment, and past it where NO_PROXY says so", async () => {
    await using server = await fileServer((req, res) => send(CONTENT, req, res));
    const proxied: string[] = [];
    const proxy = createServer((req, res) => {
      proxied.push(`${req.method} ${req.url}`);
      request(req.url as string, (answer) => answer.pipe(res)).end();
    });
    proxy.on("connect", ({ url = "" }, socket) => {
      proxied.push(`CONNECT ${url}`);
      const [host = "", port] = url.split(":");
      const onward = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      vi.stubEnv("HTTP_PROXY", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
      await download({ url: `${server.url}/a`, file, sha256: SHA256 });
      expect(proxied).toHaveLength(1);
      vi.stubEnv("NO_PROXY", "127.0.0.1");
      await download({ url: `${server.url}/b`, file: `${file}2`, sha256: SHA256 });
      expect(proxied).toHaveLength(1);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test("says that the disk is full, of which file, and how to take another one", async () => {
    // A link to the device that is always full.
    if (!existsSync("/dev/full")) return;
    await using server = await fileServer((req, res) => send(CONTENT, req, res));
    const { mkdirSync, symlinkSync } = await import("node:fs");
    mkdirSync(join(file, ".."), { recursive: true });
    symlinkSync("/dev/full", `${file}.part`);
    await expect(download({ url: server.url, file, sha256: SHA256 })).rejects.toThrow(
      /weights\.pth\.part: the disk is full, there is no room for 1 MiB; .*ARMSEG_CACHE/,
    );
    rmSync(`${file}.part`);
  });

  test("ends with the signal and keeps what has come", async () => {
    const controller = new AbortController();
    await using server = await fileServer((_, res) => {
      res.writeHead(200, { "content-length": CONTENT.length });
      res.write(CONTENT.subarray(0, 1000));
    });
    const onProgress = () => controller.abort();
    await expect(
      download({ url: server.url, file, sha256: SHA256, onProgress, signal: controller.signal }),
    ).rejects.toThrow(/abort/);
    expect(readFileSync(`${file}.part`)).toHaveLength(1000);
  });
});

test("a file is verified by all of its hash or by its beginning", async () => {
  const path = join(folder, "whole");
  writeFileSync(path, CONTENT);
  expect(await verifyFile(path, SHA256.slice(0, 8))).toBe(SHA256);
  await expect(verifyFile(path, "00000000")).rejects.toThrow(`${path}: expected SHA-256 00000000..., got`);
});

test("the cache is ARMSEG_CACHE, or armseg in the user's", () => {
  expect(cacheFolder({ ARMSEG_CACHE: "/c", XDG_CACHE_HOME: "/x" })).toBe("/c");
  expect(cacheFolder({ XDG_CACHE_HOME: "/x" })).toBe("/x/armseg");
  expect(cacheFolder({}, "linux")).toMatch(/[\\/]\.cache[\\/]armseg$/);
  expect(cacheFolder({}, "darwin")).toMatch(/Library[\\/]Caches[\\/]armseg$/);
});
