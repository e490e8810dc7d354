import { options } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** By key as the browser names it, in lower case; with `mod+` for Control or Command, with `g ` for a second key after g. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

interface Listener {
  readonly current: { readonly keys: Keys; readonly onUp: Keys };
}

const listeners = new Set<Listener>();
const PREFIX = "g";
const PREFIX_MS = 1500;
/** When g was pressed: the next key is the second of a pair, and nobody else's. */
let prefixedAt = Number.NEGATIVE_INFINITY;

addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (event.altKey || isTyping(event)) return;
  const isModified = event.ctrlKey || event.metaKey;
  const isSecond = event.timeStamp - prefixedAt < PREFIX_MS;
  prefixedAt = key === PREFIX && !isModified ? event.timeStamp : Number.NEGATIVE_INFINITY;
  const name = isModified ? `mod+${key}` : isSecond ? `${PREFIX} ${key}` : key;
  for (const { current } of [...listeners].reverse()) {
    const handler = current.keys[name];
    if (!handler) continue;
    event.preventDefault();
    drawAfter(() => handler(event));
    return;
  }
});
addEventListener("keyup", (event) => {
  for (const { current } of listeners) current.onUp[event.key.toLowerCase()]?.(event);
});

/** Draws what a key has changed before the next key can come: a fast second one must not mean what was there before. */
function drawAfter(work: () => void): void {
  const usual = options.debounceRendering;
  let draw: (() => void) | undefined;
  options.debounceRendering = (process) => {
    draw = process;
  };
  try {
    work();
  } finally {
    options.debounceRendering = usual;
    draw?.();
  }
}

/** Listens to keys wherever the focus is, but not while somebody types or chooses. */
export function useKeys(keys: Keys, onUp: Keys = {}): void {
  const listener = useRef({ keys, onUp });
  listener.current = { keys, onUp };
  useLayoutEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
}

/** Whether a key belongs to what has the focus. */
function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === "range")
    return key.startsWith("Arrow") || key === "Home" || key === "End";
  if (target instanceof HTMLInputElement) return target.type !== "checkbox" && target.type !== "radio";
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  // A button is pressed by these.
  return (key === "Enter" || key === " ") && target.matches("button, a, summary, [role=button]");
}
