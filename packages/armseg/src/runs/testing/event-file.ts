import fs from "node:fs";
import { join } from "node:path";

/** An event as a test wants to see it. */
export interface DecodedEvent {
  step: number;
  fileVersion?: string;
  isSessionStart?: true;
  /** Tag to scalar, or to the kind of what is not one. */
  values: Record<string, number | "image" | "histogram">;
}

/**
 * What TensorBoard shows of a folder: files in the order of their names, a session start undoing its step and the later
 * ones, a torn last record left out.
 */
export function shownEvents(folder: string): DecodedEvent[] {
  let shown: DecodedEvent[] = [];
  for (const name of fs.readdirSync(folder).sort()) {
    for (const event of decodeEventFile(join(folder, name))) {
      if (event.isSessionStart) shown = shown.filter(({ step }) => step < event.step);
      else if (Object.keys(event.values).length > 0) shown.push(event);
    }
  }
  return shown;
}

/** Decodes an event file, independently of the code that wrote it; checks every CRC. */
export function decodeEventFile(path: string): DecodedEvent[] {
  const bytes = fs.readFileSync(path);
  const events: DecodedEvent[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    if (at + length + 16 > bytes.length) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.readUInt32LE(at + 8) !== mask(slowCrc32c(bytes.subarray(at, at + 8))))
      throw new Error("length CRC");
    if (bytes.readUInt32LE(at + 12 + length) !== mask(slowCrc32c(data))) throw new Error("data CRC");
    events.push(decodeEvent(data));
    at += length + 16;
  }
  return events;
}

function decodeEvent(data: Buffer): DecodedEvent {
  const event: DecodedEvent = { step: 0, values: {} };
  for (const { field, number, bytes } of fields(data)) {
    if (field === 2) event.step = number;
    if (field === 3) event.fileVersion = bytes.toString();
    if (field === 7) event.isSessionStart = true;
    if (field === 5) for (const value of fields(bytes)) Object.assign(event.values, decodeValue(value.bytes));
  }
  return event;
}

function decodeValue(data: Buffer): DecodedEvent["values"] {
  const parts = new Map([...fields(data)].map((part) => [part.field, part]));
  const tag = parts.get(1)!.bytes.toString();
  const scalar = parts.get(2);
  return { [tag]: scalar ? scalar.bytes.readFloatLE() : parts.has(4) ? "image" : "histogram" };
}

function* fields(data: Buffer): Generator<{ field: number; number: number; bytes: Buffer }> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  const take = (length: number) => {
    at += length;
    return data.subarray(at - length, at);
  };
  while (at < data.length) {
    const key = varint();
    const wireType = key & 7;
    const number = wireType === 0 ? varint() : 0;
    const bytes =
      wireType === 1 ? take(8) : wireType === 5 ? take(4) : wireType === 2 ? take(varint()) : take(0);
    yield { field: key >> 3, number, bytes };
  }
}

/** Bit by bit, by long division: slow, and unlike the table it checks. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x82f63b78n : 0n);
  }
  return Number(crc ^ 0xffffffffn);
}

function mask(crc: number): number {
  return Number(((BigInt(crc) >> 15n) + ((BigInt(crc) << 17n) & 0xffffffffn) + 0xa282ead8n) & 0xffffffffn);
}
