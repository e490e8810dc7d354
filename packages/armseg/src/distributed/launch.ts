import { type ChildProcess, fork } from "node:child_process";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { HangWatch } from "./hang-watch.ts";
import { HEARTBEAT_DESCRIPTOR, startHeartbeat } from "./heartbeat.ts";

/** The command could not be run on several processes; the message holds the first error. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
  readonly code = "ERR_LAUNCH";
}

export interface LaunchOptions {
  /** How many. */
  readonly processes: number;
  /** Arguments of this program, without those that ask for several processes. */
  readonly args: readonly string[];
  /** Ends them in order: each is sent SIGTERM. */
  readonly signal?: AbortSignal;
  /** The program. Default: this one. */
  readonly program?: string;
}

/** After the first failure the others end by themselves, since their connections broke; if not, they are killed. */
const GRACE_MS = 5_000;
/** Of what a process without a terminal wrote to standard error, the end is kept. */
const KEPT_CHARACTERS = 4_000;

/** Seconds that a process may be silent before it counts as hung, from the environment; 0 for ever. */
const HANG_SECONDS = "ARMSEG_HANG_SECONDS";
const DEFAULT_HANG_SECONDS = 60;
const LOOK_MS = 1000;

/** Set for the processes that {@link launch} starts. */
const LAUNCHED = "ARMSEG_LAUNCHED";

/** How a process ended that did not end well. */
interface Failure {
  readonly rank: number;
  readonly reason: string;
  /** By somebody else: what the others then say of a broken connection is only the consequence. */
  readonly isKill: boolean;
}

/**
 * Runs this program as several processes of this host that find each other, as torchrun would. The first has the terminal.
 *
 * The environment's `ARMSEG_HANG_SECONDS` (default 60) is how long one may be silent, and a fifth of how long it may keep
 * another waiting without going on, before it counts as hung and is killed; 0 turns that off, for debuggers.
 *
 * @returns The first one's exit code, if all ended alike: done, or stopped in order.
 * @throws {LaunchError} If one fails, hangs or is killed: with its number and its error. The others have then been ended.
 */
export async function launch({ processes, args, signal, program }: LaunchOptions): Promise<number> {
  const hangMs = 1000 * hangSeconds();
  const port = await freePort();
  const children = Array.from({ length: processes }, (_, rank) =>
    start(program ?? (process.argv[1] as string), args, environment(rank, processes, port)),
  );
  const stop = () => {
    for (const child of children) child.kill("SIGTERM");
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await outcome(children, hangMs);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function hangSeconds(): number {
  const text = process.env[HANG_SECONDS] || String(DEFAULT_HANG_SECONDS);
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new LaunchError(
    `launch(): expected ${HANG_SECONDS} to be a number of seconds of at least 0, got "${text}"`,
  );
}

/** A port that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function environment(rank: number, processes: number, port: number): NodeJS.ProcessEnv {
  const threads = Math.max(1, Math.floor(availableParallelism() / processes));
  return {
    OMP_NUM_THREADS: String(threads), // process.env has the last word
    ...process.env,
    [LAUNCHED]: "1",
    RANK: String(rank),
    WORLD_SIZE: String(processes),
    LOCAL_RANK: String(rank),
    LOCAL_WORLD_SIZE: String(processes),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
  };
}

/** A group of its own: the terminal's Ctrl-C reaches the launcher alone, which asks all to stop, once. */
function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const isFirst = env.RANK === "0";
  return fork(program, args, {
    env,
    detached: true,
    stdio: ["ignore", isFirst ? "inherit" : "ignore", isFirst ? "inherit" : "pipe", "ipc", "pipe"],
  });
}

async function outcome(children: readonly ChildProcess[], hangMs: number): Promise<number> {
  const codes: (number | null)[] = [];
  let cause: Failure | null = null;
  let killer: NodeJS.Timeout | undefined;
  let areEnded = false;
  const fail = (failure: Failure) => {
    if (!cause || (failure.isKill && !cause.isKill)) cause = failure;
    killer ??= setTimeout(() => {
      areEnded = true;
      for (const child of children) child.kill("SIGKILL");
    }, GRACE_MS);
  };
  const onHung = (rank: number, reason: string) => {
    fail({ rank, reason: `it hung: ${reason}, and was killed (${HANG_SECONDS})`, isKill: true });
    children[rank]!.kill("SIGKILL"); // the others' connections to it break
  };
  using _watch = watchForHangs(children, hangMs, onHung);
  await Promise.all(
    children.map(async (child, rank) => {
      const onError = (reason: string) => fail({ rank, reason, isKill: false });
      const { code, killedBy, text } = await end(child, onError);
      codes[rank] = code;
      if (killedBy) fail({ rank, reason: `it was killed by ${killedBy}`, isKill: !areEnded });
      else if (code !== 0 && !isStopped(code)) onError(text.trim() || `it ended with exit code ${code}`);
    }),
  );
  clearTimeout(killer);
  if (cause) throw new LaunchError(failureText(cause, children.length));
  return codes[0] ?? 0;
}

/** SIGINT's and SIGTERM's exit codes: ended in order. */
function isStopped(code: number | null): boolean {
  return code === 130 || code === 143;
}

function failureText({ rank, reason }: Failure, processes: number): string {
  return `process ${rank} of ${processes} (0 to ${processes - 1}) failed: ${reason}\nThe others have been ended.`;
}

/** Listens to the processes' heartbeats, and calls back for each that hangs, once. */
function watchForHangs(
  children: readonly ChildProcess[],
  hangMs: number,
  onHung: (rank: number, reason: string) => void,
): Disposable {
  const watch = new HangWatch(hangMs, performance.now());
  for (const [rank, child] of children.entries()) {
    watch.add(rank, performance.now());
    const beats = child.stdio[HEARTBEAT_DESCRIPTOR] as Readable | undefined;
    if (!beats) continue; // it could not be started, which its error says
    createInterface(beats).on("line", (line) => {
      const [wentOn, waiting] = line.split(" ").map(Number);
      watch.beat(rank, wentOn!, waiting! > 0, performance.now());
    });
    child.once("exit", () => watch.delete(rank));
  }
  const look = () => {
    for (const { rank, reason } of watch.hung(performance.now())) {
      watch.delete(rank);
      onHung(rank, reason);
    }
  };
  const timer = hangMs > 0 ? setInterval(look, LOOK_MS) : undefined;
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

interface End {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly text: string;
}

function end(child: ChildProcess, onError: (message: string) => void): Promise<End> {
  let text = "";
  child.stderr?.on("data", (data: Buffer) => {
    text = (text + data.toString()).slice(-KEPT_CHARACTERS);
  });
  child.on("message", ({ error }: { error: string }) => onError(error));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => resolve({ code, killedBy, text }));
  });
}

/** Whether {@link launch} started this process. */
export function isLaunched(): boolean {
  return process.send !== undefined && process.env[LAUNCHED] !== undefined;
}

/** Tells the launcher what went wrong here, in place of the terminal: it shows the first of all errors. */
export function reportToLauncher(error: string): void {
  process.send?.({ error });
}

/** Tells the launcher that this process lives, and ends with it, should it be killed. */
export function followLauncher(): void {
  startHeartbeat();
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref(); // it keeps nobody alive who is done
}
