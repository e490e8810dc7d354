import { expect, test } from "vitest";
import { parseNpy } from "./npy.ts";

/** A file of version 1 with this header and twelve float32: 0 to 11. */
function npy(header: string, headerBytes = header.length, version = 1): Uint8Array {
  const start = Buffer.alloc(10);
  start.write("\x93NUMPY", "latin1");
  start.set([version, 0], 6);
  start.writeUInt16LE(headerBytes, 8);
  return Buffer.concat([
    start,
    Buffer.from(header),
    Buffer.from(Float32Array.from({ length: 12 }, (_, i) => i).buffer),
  ]);
}

test.each([
  "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }        \n",
  "{'descr':'<f4','fortran_order':False,'shape':(3,4)}\n",
  "{'shape': (3, 4,), 'descr': '<f4', 'fortran_order': False}  \n",
])("a header as NumPy and others write it: %s", (header) => {
  const { shape, data } = parseNpy(npy(header));
  expect(shape).toEqual([3, 4]);
  expect([...data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test.each([
  ["an order that is no word of Python", "{'descr': '<f4', 'fortran_order': Trxe, 'shape': (3, 4), }"],
  ["an order under another name", "{'descr': '<f4', 'fortran_ordfr': True, 'shape': (3, 4), }"],
  ["no order", "{'descr': '<f4', 'shape': (3, 4), }"],
  ["a key too many", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'a': 'b'}"],
  ["an empty side", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,, 4), }"],
  ["a side of no number", "{'descr': '<f4', 'fortran_order': False, 'shape': (03, 4), }"],
  ["no end", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), "],
  ["something behind its end", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } 1"],
])("a header with %s is refused, where the rest could be read", (_, header) => {
  expect(() => parseNpy(npy(`${header}\n`))).toThrow("an NPY file with a damaged header");
});

test("a length of the header that is wrong by a few bytes, so that the data would be too, is refused", () => {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }    \n";
  for (const wrong of [-6, -2, 4])
    expect(() => parseNpy(npy(header, header.length + wrong))).toThrow("damaged header");
});

test("a version that NumPy does not have is refused", () => {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n";
  expect(() => parseNpy(npy(header, header.length, 7))).toThrow("an NPY file of version 7, expected 1 to 3");
});
