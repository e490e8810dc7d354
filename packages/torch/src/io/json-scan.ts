const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Finds what `JSON.parse` would pass over in silence: a key given twice in one object, and nesting beyond a bound.
 *
 * Text that is not JSON may pass: `JSON.parse` is to judge it afterwards.
 *
 * @returns The problem in words, or `undefined`.
 */
export function findHiddenJsonProblem(text: string, maxDepth: number): string | undefined {
  const keys: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (OPENING.has(code)) keys.push(new Set());
    else if (CLOSING.has(code)) keys.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, at);
      const repeated = nextIsColon(text, end) && noteKey(keys.at(-1), text.slice(at, end));
      if (repeated) return `the key ${text.slice(at, Math.min(end, at + 120))} twice in one object`;
      at = end - 1;
    }
    if (keys.length > maxDepth) return `JSON nested deeper than ${maxDepth} levels`;
  }
  return undefined;
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function nextIsColon(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
}

/** Remembers a key, spelled with its quotes; true if it was there already, under any escapes. */
function noteKey(keys: Set<string> | undefined, quoted: string): boolean {
  const key: string = JSON.parse(quoted);
  const repeated = keys?.has(key) ?? false;
  keys?.add(key);
  return repeated;
}
