import type { Random } from "./random.ts";

/** What numbers become that a program did not expect. */
const NUMBERS = ["-1", "0", "1e308", "NaN", "4294967296", "9007199254740993", "0.5", "1e-9", "65536", "-0"];
/** What stands out in the formats that are read. */
const TOKENS = [
  "[",
  "]",
  "{",
  "}",
  '"',
  "\\",
  "<",
  ">",
  "&#0;",
  "&x;",
  "\0",
  "\n",
  "\x1b[2J",
  "../",
  "*a",
  "&a ",
  "null",
  "//",
  ",",
];
/** Sizes that headers of images and tensors promise. */
const WORDS = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x00010000, 0x3fff, 0xea60];

/** Returns bytes with one to four things changed: cut, flipped, moved, repeated, or replaced by what is interesting. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out: Buffer = Buffer.from(bytes);
  for (let n = 1 + random.below(4); n > 0 && out.length > 0; n--) out = random.pick(MUTATIONS)(out, random);
  return out;
}

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes, random) => flipped(bytes, random, 1 + random.below(8)),
  (bytes, random) => flipped(bytes, random, 1),
  (bytes, random) => {
    const [from, length] = part(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  },
  (bytes, random) => {
    const [from, length] = part(bytes, random);
    const piece = bytes.subarray(from, from + Math.min(length, 4096));
    const times = 1 + random.below(8);
    return inserted(
      bytes,
      random.below(bytes.length),
      Buffer.concat(Array.from({ length: times }, () => piece)),
    );
  },
  (bytes, random) => inserted(bytes, random.below(bytes.length), Buffer.from(random.pick(TOKENS))),
  (bytes, random) => {
    const out = Buffer.from(bytes);
    if (out.length >= 4) {
      const at = random.below(out.length - 3);
      if (random.below(2)) out.writeUInt32BE(random.pick(WORDS), at);
      else out.writeUInt32LE(random.pick(WORDS), at);
    }
    return out;
  },
  (bytes, random) => {
    const text = bytes.toString("latin1");
    const numbers = [...text.matchAll(/-?\d+(\.\d+)?/g)];
    if (numbers.length === 0) return flipped(bytes, random, 2);
    const { index, 0: found } = random.pick(numbers);
    const changed = text.slice(0, index) + random.pick(NUMBERS) + text.slice(index + found.length);
    return Buffer.from(changed, "latin1");
  },
];

function flipped(bytes: Buffer, random: Random, count: number): Buffer {
  const out = Buffer.from(bytes);
  for (let i = 0; i < count; i++) out[random.below(out.length)]! ^= 1 + random.below(255);
  return out;
}

function part(bytes: Buffer, random: Random): [from: number, length: number] {
  const from = random.below(bytes.length);
  return [from, 1 + random.below(Math.min(bytes.length - from, random.pick([4, 64, 100_000])))];
}

function inserted(bytes: Buffer, at: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}
