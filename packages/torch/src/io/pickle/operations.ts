import type { PickleMachine } from "./machine.ts";
import { NumpyDType } from "./numpy.ts";
import { Callable, InertObject, kindOf } from "./values.ts";

/** Longer integers cost more than linear time to read, and nothing in a checkpoint counts so far. */
const MAX_INTEGER_BYTES = 64;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a little-endian two's complement integer: a number where exact, else a bigint. */
export function readBigInteger(machine: PickleMachine, length: number): number | bigint {
  if (length > MAX_INTEGER_BYTES) throw machine.tooLarge(`an integer of ${length} bytes`);
  let value = 0n;
  for (const [index, byte] of machine.source.bytes(length).entries())
    value |= BigInt(byte) << BigInt(8 * index);
  value = BigInt.asIntN(8 * length, value);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

export function readText(machine: PickleMachine, length: number): string {
  try {
    return UTF8.decode(machine.source.bytes(length));
  } catch (error) {
    if (error instanceof TypeError) throw machine.damaged("a text that is not UTF-8");
    throw error;
  }
}

/** Adds values to the list on top of the stack. */
export function append(machine: PickleMachine, values: unknown[]): void {
  const list = machine.top();
  const target = list instanceof InertObject ? list.items : list;
  if (!Array.isArray(target)) throw machine.damaged(`it appends to ${kindOf(list)}`);
  for (const value of values) target.push(value);
}

/** Sets keys, each followed by its value, in the dict on top of the stack. */
export function setItems(machine: PickleMachine, items: unknown[]): void {
  const dict = machine.top();
  if (items.length % 2 !== 0) throw machine.damaged("it sets a key without a value");
  for (let i = 0; i < items.length; i += 2) setItem(machine, dict, items[i], items[i + 1]);
}

function setItem(machine: PickleMachine, dict: unknown, key: unknown, value: unknown): void {
  if (dict instanceof Map) dict.set(key, value);
  else if (dict instanceof InertObject) {
    machine.countObject();
    dict.items.push([key, value]);
  } else throw machine.damaged(`it sets an item of ${kindOf(dict)}`);
}

/** Adds values to the set on top of the stack. */
export function addItems(machine: PickleMachine, values: unknown[]): void {
  const set = machine.top();
  if (!(set instanceof Set)) throw machine.damaged(`it adds to ${kindOf(set)}`);
  for (const value of values) set.add(value);
}

/** Calls one of our own stand-ins: Python would run `callee(*args)` here; only our own stand-ins are ever called. */
export function call(machine: PickleMachine, callee: unknown, args: unknown): void {
  if (!Array.isArray(args)) throw machine.damaged(`it calls with ${kindOf(args)} for arguments`);
  if (callee instanceof InertObject) {
    machine.pushObject(new InertObject(callee.className, args));
    return;
  }
  if (!(callee instanceof Callable)) throw machine.damaged(`it calls ${kindOf(callee)}`);
  machine.chargeCopy(sizeOf(args));
  machine.pushObject(callee.apply(args));
}

/** Returns an upper bound of what a call may copy out of its arguments. */
function sizeOf(args: readonly unknown[]): number {
  let size = args.length;
  for (const value of args) {
    if (typeof value === "string" || Array.isArray(value) || value instanceof Uint8Array)
      size += value.length;
  }
  return size;
}

/** Keeps the state of an object: Python would restore an object's attributes here. Dicts and tensors have none that we keep. */
export function build(machine: PickleMachine): void {
  const state = machine.pop();
  const target = machine.top();
  if (target instanceof InertObject) target.state = state;
  else if (target instanceof NumpyDType) target.restore(state);
  else if (!(target instanceof Map)) throw machine.damaged(`it restores attributes of ${kindOf(target)}`);
}
