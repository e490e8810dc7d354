import type { NewVerdict } from "../../src/api.ts";
import { isConnected, postVerdict } from "../core/server.ts";
import { Store } from "../core/store.ts";

const KEY = "armseg-studio-verdicts";
const RETRY_MS = 2000;

/** Verdicts that are not on the disk yet: they are kept by the browser until the server has them, also over a reload. */
export const waiting = new Store<readonly NewVerdict[]>(saved());
/** Why the server did not take a verdict. */
export const refused = new Store<string | null>(null);
let isSending = false;

function saved(): readonly NewVerdict[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? (list as NewVerdict[]) : [];
  } catch {
    return [];
  }
}

function keep(list: readonly NewVerdict[]): void {
  waiting.value = list;
  if (list.length === 0) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, JSON.stringify(list));
}

/** Sends a verdict, after those before it. */
export function give(verdict: NewVerdict): void {
  refused.value = null;
  keep([...waiting.value, verdict]);
  send();
}

async function send(): Promise<void> {
  if (isSending) return;
  isSending = true;
  try {
    for (let next = waiting.value[0]; next; next = waiting.value[0]) {
      if (!(await isTaken(next))) {
        setTimeout(send, RETRY_MS);
        return;
      }
      keep(waiting.value.slice(1));
    }
  } finally {
    isSending = false;
  }
}

/** False while the server is gone. What it refuses will not be taken later either. */
async function isTaken(verdict: NewVerdict): Promise<boolean> {
  try {
    await postVerdict(verdict);
    return true;
  } catch (error) {
    if (!isConnected.value) return false;
    refused.value = `${verdict.region}: ${(error as Error).message}`;
    return true;
  }
}

isConnected.subscribe((is) => is && send());
if (waiting.value.length > 0) send();
