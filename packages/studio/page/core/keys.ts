import { useEffect, useRef } from "preact/hooks";

/** By key as the browser names it, in lower case; with `mod+` for Control or Command. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Listens to keys wherever the focus is, but not while somebody types or chooses. */
export function useKeys(keys: Keys, onUp: Keys = {}): void {
  const current = useRef({ keys, onUp });
  current.current = { keys, onUp };
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      const key = event.key.toLowerCase();
      const isModified = event.ctrlKey || event.metaKey;
      const handler = current.current.keys[isModified ? `mod+${key}` : key];
      if (!handler || event.altKey || isTyping(event)) return;
      event.preventDefault();
      handler(event);
    };
    const up = (event: KeyboardEvent) => current.current.onUp[event.key.toLowerCase()]?.(event);
    addEventListener("keydown", down);
    addEventListener("keyup", up);
    return () => {
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
    };
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
