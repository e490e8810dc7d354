import { describe, expect, test } from "vitest";
import {
  crc32c,
  fileVersionEvent,
  maskedCrc32c,
  sessionStartEvent,
  summaryEvent,
  tfRecord,
} from "./tensorboard-events.ts";
import { tensorBoardGolden } from "./testing/tensorboard-golden.ts";

const png = Buffer.from(tensorBoardGolden.png, "hex");
const hex = (event: Buffer) => tfRecord(event).toString("hex");

describe("events equal, byte for byte, those of TensorBoard's own classes", () => {
  test("file version", () => {
    expect(hex(fileVersionEvent(1700000000.25))).toBe(tensorBoardGolden.records.version);
  });

  test("session start", () => {
    expect(hex(sessionStartEvent(1700000001.5, 12001))).toBe(tensorBoardGolden.records.session_start);
  });

  test("scalars, at an iteration past 2^32", () => {
    const values = [
      { tag: "train/loss", scalar: 0.1 },
      { tag: "évaluation/mIoU", scalar: 0 },
      { tag: "nan", scalar: Number.NaN },
    ];
    expect(hex(summaryEvent(1700000002, 5_000_000_000, values))).toBe(tensorBoardGolden.records.scalars);
  });

  test("image", () => {
    expect(hex(summaryEvent(1700000003, 300, [{ tag: "sample", png }]))).toBe(
      tensorBoardGolden.records.image,
    );
  });

  test("histogram", () => {
    const histogram = { edges: [-1, -0.5, 0.25, 1], counts: [2, 0, 6.5] };
    expect(hex(summaryEvent(1700000004, 0, [{ tag: "curve", histogram }]))).toBe(
      tensorBoardGolden.records.histogram,
    );
  });
});

test("what is no PNG, and a histogram whose edges do not fit, are refused", () => {
  const event = (value: Parameters<typeof summaryEvent>[2][number]) => () => summaryEvent(0, 0, [value]);
  expect(event({ tag: "a", png: png.subarray(1) })).toThrow("expected the bytes of a PNG file");
  expect(event({ tag: "a", png: png.subarray(0, 20) })).toThrow("expected the bytes of a PNG file");
  expect(event({ tag: "a", histogram: { edges: [0, 1], counts: [1, 2] } })).toThrow(
    "expected 3 edges for 2 counts, got 2",
  );
});

test("CRC-32C of the known vectors (RFC 3720, appendix B.4, and the check value of the catalogue)", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new Uint8Array())).toBe(0);
});

test("the mask rotates and adds, modulo 2^32", () => {
  // 0xe3069283 rotated right by 15 is 0x2507c60d; plus 0xa282ead8.
  expect(maskedCrc32c(Buffer.from("123456789"))).toBe(0xc78ab0e5);
});
