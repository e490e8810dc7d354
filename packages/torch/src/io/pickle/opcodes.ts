import type { ByteSource } from "./byte-source.ts";
import { PickleMachine } from "./machine.ts";
import { addItems, append, build, call, readBigInteger, readText, setItems } from "./operations.ts";
import type { PickleContext } from "./values.ts";

type Operation = (machine: PickleMachine) => void;

/** Names and codes: Python's `pickletools`. Those of protocols 0 and 1 that torch.save() never writes are left out. */
const TABLE: readonly (readonly [number, Operation])[] = [
  // Structure
  [0x80, (m) => checkProtocol(m, m.source.byte())], // PROTO
  [0x95, (m) => void m.source.bytes(8)], // FRAME: a hint for buffering
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => m.popValueOrMark()], // POP
  [0x31, (m) => void m.popToMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  // Constants and numbers
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.source.view(4).getInt32(0, true))], // BININT
  [0x4b, (m) => m.push(m.source.byte())], // BININT1
  [0x4d, (m) => m.push(m.source.view(2).getUint16(0, true))], // BININT2
  [0x8a, (m) => m.push(readBigInteger(m, m.source.byte()))], // LONG1
  [0x8b, (m) => m.push(readBigInteger(m, length32(m)))], // LONG4
  [0x47, (m) => m.push(m.source.view(8).getFloat64(0, false))], // BINFLOAT
  // Text and bytes
  [0x58, (m) => m.push(readText(m, length32(m)))], // BINUNICODE
  [0x8c, (m) => m.push(readText(m, m.source.byte()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(readText(m, length64(m)))], // BINUNICODE8
  [0x54, (m) => m.push(readText(m, length32(m)))], // BINSTRING, Python 2
  [0x55, (m) => m.push(readText(m, m.source.byte()))], // SHORT_BINSTRING, Python 2
  [0x42, (m) => m.pushObject(m.source.bytes(length32(m)).slice())], // BINBYTES
  [0x43, (m) => m.pushObject(m.source.bytes(m.source.byte()).slice())], // SHORT_BINBYTES
  [0x8e, (m) => m.pushObject(m.source.bytes(length64(m)).slice())], // BINBYTES8
  // Containers
  [0x5d, (m) => m.pushObject([])], // EMPTY_LIST
  [0x6c, (m) => m.pushObject(m.popToMark())], // LIST
  [0x61, (m) => append(m, [m.pop()])], // APPEND
  [0x65, (m) => append(m, m.popToMark())], // APPENDS
  [0x29, (m) => m.pushObject([])], // EMPTY_TUPLE
  [0x74, (m) => m.pushObject(m.popToMark())], // TUPLE
  [0x85, (m) => m.pushObject(popMany(m, 1))], // TUPLE1
  [0x86, (m) => m.pushObject(popMany(m, 2))], // TUPLE2
  [0x87, (m) => m.pushObject(popMany(m, 3))], // TUPLE3
  [0x7d, (m) => m.pushObject(new Map())], // EMPTY_DICT
  [0x64, (m) => makeDict(m, m.popToMark())], // DICT
  [0x73, (m) => setItems(m, popMany(m, 2))], // SETITEM
  [0x75, (m) => setItems(m, m.popToMark())], // SETITEMS
  [0x8f, (m) => m.pushObject(new Set())], // EMPTY_SET
  [0x90, (m) => addItems(m, m.popToMark())], // ADDITEMS
  [0x91, (m) => m.pushObject(new Set(m.popToMark()))], // FROZENSET
  // Memo
  [0x71, (m) => m.remember(m.source.byte())], // BINPUT
  [0x72, (m) => m.remember(length32(m))], // LONG_BINPUT
  [0x94, (m) => m.remember(m.memoSize)], // MEMOIZE
  [0x68, (m) => m.recall(m.source.byte())], // BINGET
  [0x6a, (m) => m.recall(length32(m))], // LONG_BINGET
  // Globals, calls, state, storages
  [0x63, (m) => m.pushObject(m.context.findGlobal(m.source.line(256), m.source.line(256)))], // GLOBAL
  [0x93, stackGlobal], // STACK_GLOBAL
  [0x52, reduce], // REDUCE
  [0x81, reduce], // NEWOBJ: the classes known here are made by calling them
  [0x92, newObjectWithKeywords], // NEWOBJ_EX
  [0x62, build], // BUILD
  [0x51, (m) => m.pushObject(m.context.loadPersistent(m.pop()))], // BINPERSID
];

/** What each operation of the stack language does, by its code. */
const OPCODES: ReadonlyMap<number, Operation> = new Map(TABLE);

const STOP = 0x2e;

/** Runs one pickle, up to and with its STOP, and returns the value that it leaves. */
export function runPickle(source: ByteSource, context: PickleContext): unknown {
  const machine = new PickleMachine(source, context);
  for (let code = source.byte(); code !== STOP; code = source.byte()) {
    const operation = OPCODES.get(code);
    if (operation === undefined) throw machine.unknownOpcode(code);
    operation(machine);
  }
  return machine.result();
}

function checkProtocol(machine: PickleMachine, protocol: number): void {
  if (protocol > 5) throw machine.damaged(`expected pickle protocol 2 to 5, got ${protocol}`);
}

function length32(machine: PickleMachine): number {
  return machine.source.view(4).getUint32(0, true);
}

function length64(machine: PickleMachine): number {
  // A number too large to be exact is also too large for the source, which then says so.
  return Number(machine.source.view(8).getBigUint64(0, true));
}

function popMany(machine: PickleMachine, count: number): unknown[] {
  const values: unknown[] = [];
  for (let i = 0; i < count; i++) values.push(machine.pop());
  return values.reverse();
}

function makeDict(machine: PickleMachine, items: unknown[]): void {
  machine.pushObject(new Map());
  setItems(machine, items);
}

function stackGlobal(machine: PickleMachine): void {
  const [module, name] = popMany(machine, 2);
  if (typeof module !== "string" || typeof name !== "string")
    throw machine.damaged("a global without a name");
  machine.pushObject(machine.context.findGlobal(module, name));
}

function reduce(machine: PickleMachine): void {
  const [callee, args] = popMany(machine, 2);
  call(machine, callee, args);
}

function newObjectWithKeywords(machine: PickleMachine): void {
  const [callee, args, keywords] = popMany(machine, 3);
  if (!(keywords instanceof Map) || keywords.size > 0)
    throw machine.damaged("an object made with keyword arguments");
  call(machine, callee, args);
}
