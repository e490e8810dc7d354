import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ownIdentity, processState } from "./process-identity.ts";
import { acquireRunLock } from "./run-lock.ts";
import { startChild } from "./testing/child.ts";
import { temporaryFolder } from "./testing/folders.ts";

const lockingChild = (path: string) => `import { acquireRunLock } from "./runs/run-lock.ts";
  acquireRunLock(${JSON.stringify(path)});
  console.log("ready");
  setInterval(() => {}, 1000);`;

const holderOf = (path: string) => JSON.parse(fs.readFileSync(path, "utf8"));

describe("acquireRunLock", () => {
  test("holds the lock until it is disposed, and leaves nothing behind", () => {
    const folder = temporaryFolder();
    const path = join(folder, "run.lock");
    {
      using _lock = acquireRunLock(path);
      expect(fs.readdirSync(folder)).toEqual(["run.lock"]);
      expect(() => acquireRunLock(path)).toThrow(`belongs to process ${process.pid} on`);
    }
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test("is refused while another process lives, and taken over once that was killed", async () => {
    const path = join(temporaryFolder(), "run.lock");
    const child = await startChild(lockingChild(path));
    expect(() => acquireRunLock(path)).toThrow(`belongs to process ${child.pid} on`);
    await child.kill();
    using _lock = acquireRunLock(path);
    expect(holderOf(path)).toMatchObject(ownIdentity());
  });

  test("is taken over where the number belongs to a younger process", () => {
    const path = join(temporaryFolder(), "run.lock");
    const younger = { ...ownIdentity(), startTicks: "1", since: "2020", token: "0123456789abcdef" };
    fs.writeFileSync(path, JSON.stringify(younger));
    using _lock = acquireRunLock(path);
    expect(holderOf(path)).toMatchObject(ownIdentity());
  });

  test("is taken over where the machine was restarted", () => {
    const path = join(temporaryFolder(), "run.lock");
    fs.writeFileSync(
      path,
      JSON.stringify({ ...ownIdentity(), bootId: "before", since: "2020", token: "0123456789abcdef" }),
    );
    using _lock = acquireRunLock(path);
    expect(holderOf(path)).toMatchObject(ownIdentity());
  });

  test("is refused for another host's process and for an unreadable lock, with the remedy", () => {
    const path = join(temporaryFolder(), "run.lock");
    fs.writeFileSync(
      path,
      JSON.stringify({ ...ownIdentity(), host: "elsewhere", since: "2020", token: "0123456789abcdef" }),
    );
    expect(() => acquireRunLock(path)).toThrow(/on elsewhere since 2020.*delete this file/);
    fs.writeFileSync(path, "");
    expect(() => acquireRunLock(path)).toThrow(/an unreadable lock.*delete this file/);
  });

  test("of another host's process, is taken over once nobody has touched it for long", () => {
    const path = join(temporaryFolder(), "run.lock");
    const elsewhere = { ...ownIdentity(), host: "elsewhere", since: "2020", token: "0123456789abcdef" };
    const write = (holder: object, minutes: number) => {
      fs.writeFileSync(path, JSON.stringify(holder));
      const touched = new Date(Date.now() - 60_000 * minutes);
      fs.utimesSync(path, touched, touched);
    };
    write({ ...elsewhere, touchedEvery: 30 }, 5);
    expect(() => acquireRunLock(path)).toThrow(/on elsewhere.*not been touched for 15 minutes/);
    write(elsewhere, 1000); // of a version that touched nothing
    expect(() => acquireRunLock(path)).toThrow(/on elsewhere/);
    write({ ...elsewhere, touchedEvery: 30 }, 16);
    using _lock = acquireRunLock(path);
    expect(holderOf(path)).toMatchObject(ownIdentity());
  });

  test("without content, is taken over once it is a minute old", () => {
    const folder = temporaryFolder();
    const path = join(folder, "run.lock");
    fs.writeFileSync(path, "");
    const touched = new Date(Date.now() - 61_000);
    fs.utimesSync(path, touched, touched);
    using _lock = acquireRunLock(path);
    expect(holderOf(path)).toMatchObject(ownIdentity());
    expect(fs.readdirSync(folder)).toEqual(["run.lock"]);
  });

  test("is touched while it is held", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const path = join(temporaryFolder(), "run.lock");
    using _lock = acquireRunLock(path);
    fs.utimesSync(path, 0, 0);
    vi.advanceTimersByTime(30_000);
    expect(fs.statSync(path).mtimeMs).toBeGreaterThan(0);
  });

  test("in a folder that cannot be written, says what to do", () => {
    const spy = vi.spyOn(fs, "writeFileSync").mockImplementation(() => {
      throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
    });
    onTestFinished(() => spy.mockRestore());
    expect(() => acquireRunLock("/runs/one/run.lock")).toThrow(
      "acquireRunLock(): expected a folder that can be written, got /runs/one: EROFS: read-only file system. The file system can only be read: make it writable",
    );
  });

  test("is refused where another process was faster to take the dead lock over", () => {
    const path = join(temporaryFolder(), "run.lock");
    const content = (token: string, startTicks: string | null) =>
      JSON.stringify({ ...ownIdentity(), startTicks, since: "2020", token });
    fs.writeFileSync(path, content("0123456789abcdef", "1"));
    const link = fs.linkSync;
    // Between our look at the dead lock and our turn to replace it, the other process finishes.
    const spy = vi.spyOn(fs, "linkSync").mockImplementation((from, to) => {
      if (String(to).includes("takeover")) {
        fs.writeFileSync(path, content("faster", ownIdentity().startTicks));
      }
      link(from, to);
    });
    onTestFinished(() => spy.mockRestore());
    expect(() => acquireRunLock(path)).toThrow("must not be in use");
    expect(JSON.parse(fs.readFileSync(path, "utf8")).token).toBe("faster");
  });

  test("a process killed while it took a lock over does not block the next one", () => {
    const folder = temporaryFolder();
    const dead = { ...ownIdentity(), startTicks: "1", since: "2020" };
    fs.writeFileSync(join(folder, "run.lock"), JSON.stringify({ ...dead, token: "aaaaaaaa11111111" }));
    const guard = `.run.lock.takeover.armseg-${dead.pid}-aaaaaaaa.tmp`;
    fs.writeFileSync(join(folder, guard), JSON.stringify({ ...dead, token: "bbbbbbbb22222222" }));
    using _lock = acquireRunLock(join(folder, "run.lock"));
    expect(holderOf(join(folder, "run.lock"))).toMatchObject(ownIdentity());
    expect(fs.readdirSync(folder)).toEqual(["run.lock"]);
  });

  test("disposing does not remove a lock that went to another process", () => {
    const path = join(temporaryFolder(), "run.lock");
    const lock = acquireRunLock(path);
    fs.writeFileSync(path, JSON.stringify({ ...ownIdentity(), since: "2020", token: "another" }));
    lock[Symbol.dispose]();
    expect(fs.existsSync(path)).toBe(true);
  });

  test("of many processes that find one dead lock, exactly one takes it over", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "run.lock");
    fs.writeFileSync(
      path,
      JSON.stringify({ ...ownIdentity(), bootId: "before", since: "2020", token: "0123456789abcdef" }),
    );
    const contender = (name: number) => `import { acquireRunLock } from "./runs/run-lock.ts";
      import { writeFileSync } from "node:fs";
      const start = ${Date.now() + 1500};
      while (Date.now() < start);
      let outcome = "won";
      try { acquireRunLock(${JSON.stringify(path)}); } catch { outcome = "lost"; }
      writeFileSync(${JSON.stringify(folder)} + "/${name}-" + outcome, "");
      console.log("ready");
      setInterval(() => {}, 1000);`;
    await Promise.all([0, 1, 2, 3].map((name) => startChild(contender(name))));
    expect(fs.readdirSync(folder).filter((name) => name.endsWith("-won"))).toHaveLength(1);
  });
});

test("processState tells the living from the gone and the unknowable", () => {
  const own = ownIdentity();
  expect(processState(own)).toBe("alive");
  expect(processState({ ...own, pid: 2 ** 22 + 1 })).toBe("gone");
  expect(processState({ ...own, host: "elsewhere" })).toBe("unknown");
  // Without /proc only the number is known.
  expect(processState({ ...own, bootId: null })).toBe("alive");
  expect(processState({ ...own, bootId: null, pid: 2 ** 22 + 1 })).toBe("gone");
});
