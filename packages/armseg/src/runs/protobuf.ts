/**
 * The few pieces of the protobuf wire format that TensorBoard's events need, written out; each function returns one
 * field, key included. (https://protobuf.dev/programming-guides/encoding/)
 */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** An unsigned integer below 2^53. */
export function varintField(field: number, value: number): Buffer {
  return Buffer.from([...varint(field * 8 + VARINT), ...varint(value)]);
}

export function doubleField(field: number, value: number): Buffer {
  return Buffer.concat([key(field, FIXED64), doubles([value])]);
}

export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), bytes]);
}

/** Bytes, text (as UTF-8), or an embedded message. */
export function bytesField(field: number, value: Uint8Array | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([key(field, LENGTH), Buffer.from(varint(bytes.length)), bytes]);
}

/** `repeated double`, packed. */
export function packedDoublesField(field: number, values: readonly number[]): Buffer {
  return bytesField(field, doubles(values));
}

function key(field: number, wireType: number): Buffer {
  return Buffer.from(varint(field * 8 + wireType));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  // Division instead of shifts: iterations and sizes may pass 2^31.
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

function doubles(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => {
    bytes.writeDoubleLE(value, 8 * i);
  });
  return bytes;
}
