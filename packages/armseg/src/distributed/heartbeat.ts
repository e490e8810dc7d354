import { Worker } from "node:worker_threads";

/** The file descriptor on which a process that was launched tells its launcher that it lives. */
export const HEARTBEAT_DESCRIPTOR = 4;

const BEAT_MS = 1000;

/** What two threads know of the main one: how often it was seen to go on, and in how many collective calls it is. */
const GONE_ON = 0;
const WAITING = 1;
let state: Int32Array | undefined;

/**
 * A thread of its own beats, since the main one may wait for others in a native call. Source text, so that a thread without a
 * compiler can run it.
 */
const BEATING = `
const { writeSync } = require("node:fs");
const { state, descriptor, milliseconds } = require("node:worker_threads").workerData;
setInterval(() => {
  try {
    writeSync(descriptor, Atomics.load(state, ${GONE_ON}) + " " + Atomics.load(state, ${WAITING}) + "\\n");
  } catch (error) {
    if (error.code !== "EAGAIN") process.exit(); // nobody listens any more
  }
}, milliseconds);
`;

/** Begins to tell the launcher, once a second and at no cost to the work, that this process lives and whether it goes on. */
export function startHeartbeat(): void {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  state = shared;
  const workerData = { state: shared, descriptor: HEARTBEAT_DESCRIPTOR, milliseconds: BEAT_MS };
  new Worker(BEATING, { eval: true, execArgv: [], name: "armseg-heartbeat", workerData }).unref();
  setInterval(() => Atomics.add(shared, GONE_ON, 1), BEAT_MS).unref();
}

/** Runs a call that waits for other processes, and says so meanwhile. */
export function whileWaiting<T>(call: () => T): T {
  if (!state) return call();
  Atomics.add(state, GONE_ON, 1);
  Atomics.add(state, WAITING, 1);
  try {
    return call();
  } finally {
    Atomics.sub(state, WAITING, 1);
    Atomics.add(state, GONE_ON, 1);
  }
}
